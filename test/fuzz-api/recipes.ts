/** Media that are accepted, and what else no schema can say. */

import { fixture, png, wav } from '../domain/media/make.js';
import type { Chance } from '../storm/random.js';
import type { Recipes } from './values.js';

const IMAGES = [png(300, 300), png(300, 750), fixture('palette.png')];
const SOUNDS = [wav(), wav({ samples: 40_000, bits: 16 })];

/** The bytes of files by member, for forms. */
export const FILES: ReadonlyMap<string, readonly Buffer[]> = new Map([
  ['image', IMAGES],
  ['sound_file', SOUNDS],
]);

/** @param receiver where callbacks may go */
export function recipesFor(receiver: string): Recipes {
  const medium = (name: string, type: string, url: string) => (chance: Chance) => {
    const base64 = chance.pick(FILES.get(name) ?? []).toString('base64');
    return chance.pick([base64, `data:${type};base64,${base64}`, url, url]);
  };
  const receivers = (chance: Chance) => chance.pick([receiver, `${receiver}/hook?a=b`]);
  return {
    image: medium('image', 'image/png', 'https://example.com/face.jpg'),
    sound_file: medium('sound_file', 'audio/wav', 'https://example.com/speech.mp3'),
    callback_url: receivers,
    'X-Webhook-URL': receivers,
    task_id: (chance) => `task-${chance.between(0, 1e6)}`,
  };
}

/** A file that was cut, has a bit turned, or something behind its end. */
export function damaged(chance: Chance, bytes: Buffer): Buffer {
  switch (chance.pick(['cut', 'turned', 'longer', 'zeros'])) {
    case 'cut':
      return bytes.subarray(0, chance.between(0, bytes.length - 1));
    case 'turned': {
      const turned = Buffer.from(bytes);
      for (let times = chance.between(1, 5); times > 0; times--) {
        const at = chance.between(0, bytes.length - 1);
        turned[at] = (turned[at] ?? 0) ^ (1 << chance.between(0, 7));
      }
      return turned;
    }
    case 'zeros':
      return Buffer.from(bytes).fill(0, chance.between(0, bytes.length - 1));
    default:
      return Buffer.concat([bytes, Buffer.alloc(chance.pick([1, 1_000, 100_000]), 0x41)]);
  }
}
