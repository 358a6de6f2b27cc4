/** The sample table of an MP4 track (ISO/IEC 14496-12 §8.6 and §8.7): how many, how long, and where. */

import { type Box, onlyBox, readBoxes } from './boxes.js';
import { MediaError } from './media.js';

/** The samples of a track; of AAC each is a frame. */
export interface Samples {
  readonly count: number;
  /** In units of the track's time scale. */
  readonly duration: number;
}

/** All four tables must agree, and every chunk must lie inside the file: this is what finds a cut file out. */
export function readSamples(table: Buffer, fileBytes: number): Samples {
  const boxes = readBoxes(table);
  const samples = readDurations(onlyBox(boxes, 'stts'));
  const sizeOf = readSizes(onlyBox(boxes, 'stsz'), samples.count);
  checkChunks(readOffsets(boxes), readRuns(onlyBox(boxes, 'stsc')), samples.count, sizeOf, fileBytes);
  return samples;
}

/** `stts`: runs of samples of one duration. */
function readDurations(stts: Buffer): Samples {
  let count = 0;
  let duration = 0;
  for (let left = stts.readUInt32BE(4), at = 8; left > 0; left--, at += 8) {
    const samples = stts.readUInt32BE(at);
    count += samples;
    duration += samples * stts.readUInt32BE(at + 4);
  }
  return { count, duration };
}

/** `stsz`: one size for all samples, or a size for each. Gives the bytes of `count` samples from `first` on. */
function readSizes(stsz: Buffer, expected: number): (first: number, count: number) => number {
  const size = stsz.readUInt32BE(4);
  const count = stsz.readUInt32BE(8);
  if (count !== expected) throw contradicts(`${count} sizes for ${expected} samples`);
  if (size !== 0) return (_, samples) => samples * size;
  return (first, samples) => {
    let sum = 0;
    for (let i = first; i < first + samples; i++) {
      const bytes = stsz.readUInt32BE(12 + i * 4);
      if (bytes === 0) throw contradicts(`sample ${i} has no bytes`);
      sum += bytes;
    }
    return sum;
  };
}

/** `stco`, or `co64` with 64 bits. */
function readOffsets(boxes: readonly Box[]): number[] {
  const large = boxes.some(({ type }) => type === 'co64');
  const box = onlyBox(boxes, large ? 'co64' : 'stco');
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
