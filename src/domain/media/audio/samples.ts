/** The sample table of an MP4 track (ISO/IEC 14496-12 §8.6 and §8.7): how many, how long, and where. */

import { MediaError } from '../media.js';
import { type Box, firstBox, readBoxes } from './boxes.js';

/** The samples of a track; of AAC each is a frame. */
export interface Samples {
  readonly count: number;
  /** In units of the track's time scale. */
  readonly duration: number;
}

/**
 * As many samples as have sizes. All chunks must be there for them, and lie inside the file: this is what finds a cut file
 * out.
 */
export function readSamples(table: Buffer, fileBytes: number): Samples {
  const boxes = readBoxes(table);
  const { count, sizeOf } = readSizes(boxes);
  checkChunks(readOffsets(boxes), readRuns(firstBox(boxes, 'stsc')), count, sizeOf, fileBytes);
  return { count, duration: readDuration(firstBox(boxes, 'stts'), count) };
}

/** `stts`: runs of samples of one duration. What is behind the last one has its duration as well. */
function readDuration(stts: Buffer, count: number): number {
  let missing = count;
  let duration = 0;
  let each = 0;
  for (let left = stts.readUInt32BE(4), at = 8; left > 0; left--, at += 8) {
    const samples = Math.min(missing, stts.readUInt32BE(at));
    each = stts.readUInt32BE(at + 4);
    missing -= samples;
    duration += samples * each;
  }
  return duration + missing * each;
}

interface Sizes {
  readonly count: number;
  /** The bytes of `count` samples from `first` on. */
  sizeOf(first: number, count: number): number;
}

/** `stsz`: one size for all samples, or a size for each; or `stz2`, with fields of fewer bits. */
function readSizes(boxes: readonly Box[]): Sizes {
  const compact = boxes.find(({ type }) => type === 'stz2')?.body;
  const box = compact ?? firstBox(boxes, 'stsz');
  const count = box.readUInt32BE(8);
  const size = compact === undefined ? box.readUInt32BE(4) : 0;
  if (size !== 0) return { count, sizeOf: (_, samples) => samples * size };
  const bits = compact?.readUInt8(7) ?? 32;
  if (![4, 8, 16, 32].includes(bits)) throw contradicts(`sizes of ${bits} bits`);
  const at = (sample: number) => {
    if (bits >= 8) return box.readUIntBE(12 + (sample * bits) / 8, bits / 8);
    return (box.readUInt8(12 + (sample >> 1)) >> (sample % 2 === 0 ? 4 : 0)) & 15;
  };
  const sizeOf = (first: number, samples: number) => {
    let sum = 0;
    for (let i = first; i < first + samples; i++) {
      const bytes = at(i);
      if (bytes === 0) throw contradicts(`sample ${i} has no bytes`);
      sum += bytes;
    }
    return sum;
  };
  return { count, sizeOf };
}

/** `stco`, or `co64` with 64 bits. */
function readOffsets(boxes: readonly Box[]): number[] {
  const large = boxes.some(({ type }) => type === 'co64');
  const box = firstBox(boxes, large ? 'co64' : 'stco');
  const offsets: number[] = [];
  for (let left = box.readUInt32BE(4), at = 8; left > 0; left--, at += large ? 8 : 4) {
    offsets.push(large ? Number(box.readBigUInt64BE(at)) : box.readUInt32BE(at));
  }
  return offsets;
}

interface Run {
  readonly firstChunk: number;
  readonly samplesAChunk: number;
}

/** `stsc`: from which chunk on, counted from 1, how many samples a chunk has. */
function readRuns(stsc: Buffer): Run[] {
  const runs: Run[] = [];
  for (let left = stsc.readUInt32BE(4), at = 8; left > 0; left--, at += 12) {
    runs.push({ firstChunk: stsc.readUInt32BE(at), samplesAChunk: stsc.readUInt32BE(at + 4) });
  }
  return runs;
}

function checkChunks(
  offsets: readonly number[],
  runs: readonly Run[],
  count: number,
  sizeOf: (first: number, count: number) => number,
  fileBytes: number,
): void {
  let placed = 0;
  let run = 0;
  for (const [index, offset] of offsets.entries()) {
    while ((runs[run + 1]?.firstChunk ?? Number.POSITIVE_INFINITY) <= index + 1) run += 1;
    const samples = runs[run]?.samplesAChunk ?? 0;
    if (placed + samples > count) throw contradicts(`chunks for more than ${count} samples`);
    const end = offset + sizeOf(placed, samples);
    if (end > fileBytes) {
      throw new MediaError(`is an m4a that is cut short: sound up to byte ${end}, the file has ${fileBytes}`);
    }
    placed += samples;
  }
  if (placed !== count) throw contradicts(`chunks for ${placed} of ${count} samples`);
}

function contradicts(what: string): MediaError {
  return new MediaError(`is an m4a whose tables contradict each other: ${what}`);
}
