/** The length of an m4a sound: AAC in an MP4 file (ISO/IEC 14496-12 and -14). */

import { readAacConfig } from './aac.js';
import { descend, onlyBox, readBoxes } from './boxes.js';
import { readFragments } from './fragments.js';
import { MediaError } from './media.js';
import { readSamples } from './samples.js';

/** Brands (§4.3) of files that players open as MP4. */
const BRANDS = /^(?:M4A |M4B |mp4[12]|iso[m2-9a-c]|dash)$/;

/** Major brands of QuickTime and 3GPP, which have boxes of their own, whatever they say they are compatible with. */
const OTHER_FAMILIES = /^(?:qt|3g)/;

/** What the sample table may claim beyond, or fall short of, the frames that are there, in seconds and as a part. */
const TOLERANCE = { seconds: 0.25, part: 0.01 } as const;

/** Seconds of sound as played: the samples that are there, less what the edit list leaves out. */
export function measureM4a(bytes: Buffer): number {
  try {
    return measure(bytes);
  } catch (error) {
    // A field that a box is too short for. Buffer's reads check their bounds, so that this need not be done twice.
    if (error instanceof RangeError) {
      throw new MediaError('is a broken m4a: a box is too short', { cause: error });
    }
    throw error;
  }
}

function measure(bytes: Buffer): number {
  const file = readBoxes(bytes);
  checkBrands(onlyBox(file, 'ftyp'));
  const movie = onlyBox(file, 'moov');
  const track = findSoundTrack(movie);
  const { scale } = readTimes(descend(track, 'mdia', 'mdhd'));
  const table = descend(track, 'mdia', 'minf', 'stbl');
  const aac = readAacConfig(onlyBox(readBoxes(table), 'stsd'));
  const plain = readSamples(table, bytes.length);
  const fragmented = readFragments(file, movie, track, bytes.length);
  const claimed = (plain.duration + fragmented.duration) / scale;
  const held = ((plain.count + fragmented.count) * aac.frameSamples) / aac.rate;
  if (Math.abs(claimed - held) > TOLERANCE.seconds + TOLERANCE.part * held) {
    throw new MediaError(
      `is an m4a whose header lies: it claims ${claimed.toFixed(3)} s, there are ${held.toFixed(3)} s`,
    );
  }
  return Math.min(claimed, readEdits(track, movie) ?? claimed);
}

/** Major brand, minor version, compatible brands. */
function checkBrands(ftyp: Buffer): void {
  const brands: string[] = [];
  for (let at = 0; at + 4 <= ftyp.length; at += 4) {
    if (at !== 4) brands.push(ftyp.toString('latin1', at, at + 4));
  }
  const major = brands[0]?.replace(/[^\x20-\x7e]/g, '?').trim() ?? '';
  if (brands.some((brand) => BRANDS.test(brand)) && !OTHER_FAMILIES.test(major)) return;
  throw new MediaError(`is a file of the MP4 family, but no m4a (its brand is "${major}")`);
}

/** The one track of sound. Text tracks (chapters) are no harm; a film is no sound file. */
function findSoundTrack(movie: Buffer): Buffer {
  const tracks = readBoxes(movie)
    .filter(({ type }) => type === 'trak')
    .map(({ body }) => ({ body, handler: descend(body, 'mdia', 'hdlr').toString('latin1', 8, 12) }));
  if (tracks.some(({ handler }) => handler === 'vide')) {
    throw new MediaError('is an MP4 with a video track; only sound is taken');
  }
  const sounds = tracks.filter(({ handler }) => handler === 'soun');
  const [sound] = sounds;
  if (sound === undefined || sounds.length > 1) {
    throw new MediaError(`is an m4a with ${sounds.length} sound tracks; it must have one`);
  }
  return sound.body;
}

/** `mdhd` and `mvhd` begin alike (§8.2.2, §8.4.2): version, flags, two times, then units a second. */
function readTimes(header: Buffer): { scale: number } {
  const scale = header.readUInt32BE(header.readUInt8(0) === 1 ? 20 : 12);
  if (scale === 0) throw new MediaError('is a broken m4a: a time scale of 0');
  return { scale };
}

/**
 * Seconds that the edit list plays (§8.6.6), or `null` where there is none. It cuts off the encoder's lead-in;
 * an edit with the media time -1 is a pause and plays nothing.
 */
function readEdits(track: Buffer, movie: Buffer): number | null {
  const edits = readBoxes(track).find(({ type }) => type === 'edts');
  if (edits === undefined) return null;
  const list = descend(edits.body, 'elst');
  const large = list.readUInt8(0) === 1;
  const count = list.readUInt32BE(4);
  let units = 0;
  for (let i = 0; i < count; i++) {
    const at = 8 + i * (large ? 20 : 12);
    const duration = large ? Number(list.readBigUInt64BE(at)) : list.readUInt32BE(at);
    const mediaTime = large ? Number(list.readBigInt64BE(at + 8)) : list.readInt32BE(at + 4);
    if (mediaTime >= 0) units += duration;
  }
  if (units === 0) return null;
  return units / readTimes(descend(movie, 'mvhd')).scale;
}
