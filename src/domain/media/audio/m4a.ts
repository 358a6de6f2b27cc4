/** The length of an m4a sound: AAC in an MP4 file (ISO/IEC 14496-12 and -14). */

import type { Forgive } from '../forgiven.js';
import { MediaError } from '../media.js';
import { readAacConfig } from './aac.js';
import { descend, firstBox, printable, readBoxes } from './boxes.js';
import { readFragments } from './fragments.js';
import { readSamples } from './samples.js';

/** Major brands (§4.3) of 3GPP. Around AAC it is the same as an m4a but for its name. */
const OF_3GPP = /^(?:3g|kddi)/;

/** Behind size and name of the first box. */
const BRAND_AT = 8;

/** What the sample table may claim beyond, or fall short of, the frames that are there, in seconds and as a part. */
const TOLERANCE = { seconds: 0.25, part: 0.01 } as const;

/** Seconds of sound as played: the samples that are there, less what the edit list leaves out. */
export function measureM4a(bytes: Buffer, forgive: Forgive): number {
  try {
    return measure(bytes, forgive);
  } catch (error) {
    // A field that a box is too short for. Buffer's reads check their bounds, so that this need not be done twice.
    if (error instanceof RangeError) {
      throw new MediaError('is an m4a that is cut short or broken: a box is too short for what is in it', {
        cause: error,
      });
    }
    throw error;
  }
}

function measure(bytes: Buffer, forgive: Forgive): number {
  const file = readBoxes(bytes, forgive);
  if (!file.some(({ type }) => type === 'moov')) {
    const brand = printable(bytes.toString('latin1', BRAND_AT, BRAND_AT + 4));
    throw new MediaError(
      `is an m4a that is cut short, or no sound at all: it has no "moov" box (its brand is "${brand}")`,
    );
  }
  const movie = firstBox(file, 'moov');
  const track = findSoundTrack(movie);
  const { scale } = readTimes(descend(track, 'mdia', 'mdhd'));
  const table = descend(track, 'mdia', 'minf', 'stbl');
  const aac = readAacConfig(firstBox(readBoxes(table), 'stsd'));
  const plain = readSamples(table, bytes.length);
  const fragmented = readFragments(file, movie, track, bytes.length);
  const claimed = (plain.duration + fragmented.duration) / scale;
  const held = ((plain.count + fragmented.count) * aac.frameSamples) / aac.rate;
  if (Math.abs(claimed - held) > TOLERANCE.seconds + TOLERANCE.part * held) {
    throw new MediaError(
      `is an m4a whose header lies: it claims ${claimed.toFixed(3)} s, there are ${held.toFixed(3)} s`,
    );
  }
  checkBrand(bytes, forgive);
  return Math.min(claimed, readEdits(track, movie) ?? claimed);
}

/** The brand does not matter to what reads the boxes; some programs go by it alone. */
function checkBrand(bytes: Buffer, forgive: Forgive): void {
  const brand = bytes.toString('latin1', BRAND_AT, BRAND_AT + 4);
  if (bytes.toString('latin1', 4, BRAND_AT) !== 'ftyp') {
    forgive({ what: 'is an old QuickTime file, which does not say what it is', mended: false });
  } else if (brand === 'qt  ') {
    forgive({ what: 'is a QuickTime file with the sound of an m4a', mended: false });
  } else if (OF_3GPP.test(brand)) {
    forgive({ what: `is a 3GPP file (its brand is "${brand}") with the sound of an m4a`, mended: true });
    bytes.write('M4A ', BRAND_AT, 'latin1');
  }
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
