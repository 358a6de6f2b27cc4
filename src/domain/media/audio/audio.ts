/** Whether Modellix would take a sound, by its bytes. */

import type { AudioFacts } from '../../avatar.js';
import type { Forgive } from '../forgiven.js';
import { MediaError } from '../media.js';
import { isIsoMedia, looksLike, TEXT } from '../sniff.js';
import { findAdts, measureAdts } from './adts.js';
import { measureM4a } from './m4a.js';
import { findMp3, measureMp3 } from './mp3.js';
import { skipTags } from './tags.js';
import { findWav, measureWav } from './wav.js';

/** Contract: "at most 5 MB"; the smaller reading of MB, as for images. */
export const MAX_AUDIO_BYTES = 5_000_000;

/** Contract: "2 to 300 s long", both included. */
export const MIN_AUDIO_SECONDS = 2;
export const MAX_AUDIO_SECONDS = 300;

type Format = NonNullable<AudioFacts['format']>;

const MEASURE: Readonly<Record<Format, (bytes: Buffer, forgive: Forgive) => number>> = {
  mp3: measureMp3,
  wav: measureWav,
  m4a: measureM4a,
  aac: measureAdts,
};

/**
 * Format and length of an mp3, wav, m4a or aac sound that keeps the contract's rules, or a {@link MediaError}.
 * The length is that of the samples the file holds, never a header's word for it, and is given to the
 * millisecond. Sound is not decoded. What is wrong and does no harm is forgiven, and put right in `bytes` where that is
 * certain and leaves their number as it is.
 *
 * The structure is walked here and not by music-metadata 11: of a variable bit rate that begins with silence
 * it makes 4.18 s where there are 3.53, and 5 MB of sync bytes hold it, and the process, for 29 s.
 */
export async function inspectAudio(bytes: Buffer, forgive: Forgive = () => {}): Promise<AudioFacts> {
  if (bytes.length === 0) throw new MediaError('is empty');
  if (bytes.length > MAX_AUDIO_BYTES) {
    throw new MediaError(`has ${bytes.length} bytes; a sound may have at most ${MAX_AUDIO_BYTES} (5 MB)`);
  }
  const format = formatOf(bytes);
  const seconds = MEASURE[format](bytes, forgive);
  if (seconds < MIN_AUDIO_SECONDS || seconds > MAX_AUDIO_SECONDS) {
    throw new MediaError(
      `is ${round(seconds, 6)} s long; it must be ${MIN_AUDIO_SECONDS} to ${MAX_AUDIO_SECONDS} s`,
    );
  }
  return { source: 'inline', format, durationSeconds: round(seconds, 3), bytes: bytes.length };
}

/** From the bytes: neither a file name nor a declared type is trusted. */
function formatOf(bytes: Buffer): Format {
  if (findWav(bytes) !== null) return 'wav';
  if (isIsoMedia(bytes)) return 'm4a';
  const looks = looksLike(bytes.subarray(skipTags(bytes, 0)));
  // Text may be the headers of a stream.
  if (looks !== null && looks !== TEXT) throw otherKind(looks);
  // A stream that was cut out of a longer one begins in the middle of a frame, where either header may turn up.
  const aac = findAdts(bytes);
  const mp3 = findMp3(bytes);
  if (looks === TEXT && aac === null && mp3 === null) throw otherKind(looks);
  return aac !== null && aac < (mp3 ?? Number.POSITIVE_INFINITY) ? 'aac' : 'mp3';
}

function otherKind(looks: string): MediaError {
  return new MediaError(`looks like ${looks}; only mp3, wav, m4a and aac are taken`);
}

function round(seconds: number, decimals: number): number {
  return Number(seconds.toFixed(decimals));
}
