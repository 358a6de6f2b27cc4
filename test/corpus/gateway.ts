/** What the gateway says of the same bytes. */

import { inspectAudio } from '../../src/domain/media/audio/audio.js';
import { inspectImage } from '../../src/domain/media/image/image.js';
import { MediaError } from '../../src/domain/media/media.js';
import { type Refusal, refused, type Verdict } from './verdict.js';

/** By the words of the refusal; what fits none of them could not be read. */
const REASONS: ReadonlyArray<readonly [RegExp, Refusal]> = [
  [/^has \d+ bytes; /, 'bytes'],
  [/; both sides must be /, 'sides'],
  [/; the aspect ratio must be /, 'ratio'],
  [/ s long; it must be /, 'length'],
];

export async function askGateway(kind: 'image' | 'audio', bytes: Buffer): Promise<Verdict> {
  try {
    if (kind === 'audio') {
      const { format, durationSeconds } = await inspectAudio(bytes);
      return { taken: true, format: format ?? '', seconds: durationSeconds ?? Number.NaN };
    }
    const { format, width, height } = inspectImage(bytes);
    return { taken: true, format: format ?? '', width: width ?? 0, height: height ?? 0 };
  } catch (error) {
    if (!(error instanceof MediaError)) throw error;
    const why = REASONS.find(([words]) => words.test(error.detail))?.[1] ?? 'unreadable';
    return refused(why, error.detail);
  }
}
