/** The samples in the fragments of an MP4 file (ISO/IEC 14496-12 §8.8), as browsers record and CMAF packs them. */

import { MediaError } from '../media.js';
import { type Box, descend, firstBox, readBoxes } from './boxes.js';
import type { Samples } from './samples.js';

/** What a run of samples takes for granted: of a sample, its time and its bytes. */
interface Defaults {
  readonly duration: number;
  readonly size: number;
}

/** Which optional fields a "tfhd" box has (§8.8.7), in their order. */
const TFHD = {
  baseDataOffset: 0x01,
  descriptionIndex: 0x02,
  duration: 0x08,
  size: 0x10,
} as const;

/** Likewise "trun" (§8.8.8); the last four are there for each sample. */
const TRUN = {
  dataOffset: 0x001,
  firstSampleFlags: 0x004,
  duration: 0x100,
  size: 0x200,
  flags: 0x400,
  timeOffset: 0x800,
} as const;

/** All samples of one track. Those of each run must lie inside the file. */
export function readFragments(
  file: readonly Box[],
  movie: Buffer,
  track: Buffer,
  fileBytes: number,
): Samples {
  const fragments = file.filter(({ type }) => type === 'moof');
  if (fragments.length === 0) return { count: 0, duration: 0 };
  const id = readTrackId(descend(track, 'tkhd'));
  const defaults = readTrackDefaults(descend(movie, 'mvex'), id);
  let count = 0;
  let duration = 0;
  for (const fragment of fragments) {
    let end = fragment.at;
    for (const part of readBoxes(fragment.body).filter(({ type }) => type === 'traf')) {
      const boxes = readBoxes(part.body);
      const header = firstBox(boxes, 'tfhd');
      const { base, ...own } = readHeader(header, defaults, fragment.at);
      if (header.readUInt32BE(4) !== id) continue;
      end = base;
      for (const run of boxes.filter(({ type }) => type === 'trun')) {
        const samples = readRun(run.body, own, base, end);
        if (samples.end > fileBytes) {
          throw new MediaError(
            `is an m4a that is cut short: sound up to byte ${samples.end}, the file has ${fileBytes}`,
          );
        }
        count += samples.count;
        duration += samples.duration;
        end = samples.end;
      }
    }
  }
  return { count, duration };
}

function readTrackId(tkhd: Buffer): number {
  return tkhd.readUInt32BE(tkhd.readUInt8(0) === 1 ? 20 : 12);
}

/** `trex`: what the fragments of a track take for granted. */
function readTrackDefaults(mvex: Buffer, id: number): Defaults {
  const trex = readBoxes(mvex).find(({ type, body }) => type === 'trex' && body.readUInt32BE(4) === id);
  if (trex === undefined)
    throw new MediaError('is a broken m4a: it has fragments, but no "trex" box for them');
  return { duration: trex.body.readUInt32BE(12), size: trex.body.readUInt32BE(16) };
}

/** `tfhd`: where the data is counted from, and what the runs of this fragment take for granted. */
function readHeader(tfhd: Buffer, defaults: Defaults, at: number): Defaults & { readonly base: number } {
  const flags = tfhd.readUInt32BE(0);
  let from = 8;
  const next = (flag: number, bytes: number) => {
    if ((flags & flag) === 0) return null;
    from += bytes;
    return from - bytes;
  };
  const base = next(TFHD.baseDataOffset, 8);
  next(TFHD.descriptionIndex, 4);
  const duration = next(TFHD.duration, 4);
  const size = next(TFHD.size, 4);
  return {
    base: base === null ? at : Number(tfhd.readBigUInt64BE(base)),
    duration: duration === null ? defaults.duration : tfhd.readUInt32BE(duration),
    size: size === null ? defaults.size : tfhd.readUInt32BE(size),
  };
}

/** `trun`: its samples, and where their data ends. Without an offset it begins where the run before it ended. */
function readRun(
  trun: Buffer,
  defaults: Defaults,
  base: number,
  previousEnd: number,
): Samples & { readonly end: number } {
  const flags = trun.readUInt32BE(0);
  const count = trun.readUInt32BE(4);
  let at = 8;
  let end = previousEnd;
  if ((flags & TRUN.dataOffset) !== 0) {
    end = base + trun.readInt32BE(at);
    at += 4;
  }
  if ((flags & TRUN.firstSampleFlags) !== 0) at += 4;
  const each = [TRUN.duration, TRUN.size, TRUN.flags, TRUN.timeOffset].filter((flag) => (flags & flag) !== 0);
  if (at + count * each.length * 4 > trun.length) throw new MediaError('is a broken m4a: a run is too short');
  const sum = (flag: (typeof each)[number], otherwise: number) => {
    const field = each.indexOf(flag);
    if (field === -1) return count * otherwise;
    let total = 0;
    for (let i = 0; i < count; i++) total += trun.readUInt32BE(at + (i * each.length + field) * 4);
    return total;
  };
  const bytes = sum(TRUN.size, defaults.size);
  if (bytes < count) throw new MediaError(`is an m4a whose header lies: ${count} samples in ${bytes} bytes`);
  return { count, duration: sum(TRUN.duration, defaults.duration), end: end + bytes };
}
