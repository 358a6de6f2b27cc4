/** Parsers that are wrong, to show that the fuzzer finds it. */

import { MediaError } from '../../src/domain/media/media.js';
import type { Target } from './target.js';

const held: Buffer[] = [];
const seeds = [Buffer.from('a file that begins well and ends')];
const common = {
  seeds,
  maxBytes: 1_000,
  isRefusal: (error: unknown) => error instanceof MediaError,
} as const;

export const TARGETS: readonly Target[] = [
  {
    ...common,
    name: 'crashing',
    run: (bytes) => {
      if (bytes.length < 4) throw new MediaError('is too short');
      if (bytes[0] === 0xff) bytes.readUInt32BE(bytes.length);
    },
  },
  {
    ...common,
    name: 'hanging',
    run: (bytes) => {
      while (bytes.length > 0 && bytes[0] === 0xff) {
        // As a loop does whose length is 0.
      }
    },
  },
  {
    ...common,
    name: 'leaking',
    run: () => {
      held.push(Buffer.alloc(20_000, 1));
    },
  },
];
