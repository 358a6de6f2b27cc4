/** The bodies callers send: the example of the documentation with a prompt of its own, or something wrong with it. */

import { example } from '../../src/http/schemas/examples.js';
import type { Chance } from './random.js';

const MEDIA = { image: example.image, sound_file: example.sound_file };

export function goodBody(token: string, chance: Chance): string {
  return JSON.stringify({
    ...MEDIA,
    prompt: token,
    mode: chance.pick(['std', 'pro']),
    external_id: token,
  });
}

/** Refused before anything is stored or sent. */
export function badBody(token: string, chance: Chance): string {
  const fault = chance.pick([
    { mode: 'STD' },
    { image: 'AAAA' },
    { sound_file: undefined },
    { audio_id: 'both' },
    { image: 'ftp://example.com/face.jpg' },
    { metadata: { n: 1 } },
    { unknown: true },
    { sound_file: example.sound_file.slice(0, 400) },
  ]);
  return JSON.stringify({ ...MEDIA, prompt: token, ...fault });
}
