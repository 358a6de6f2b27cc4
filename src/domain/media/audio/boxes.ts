/** Boxes of the ISO base media format (ISO/IEC 14496-12 §4.2): a size, a type, a body. */

import type { Forgive } from '../forgiven.js';
import { MediaError } from '../media.js';

/** `body` shares its memory with the file. */
export interface Box {
  readonly type: string;
  /** Where it begins in what it was read from. */
  readonly at: number;
  readonly body: Buffer;
}

/** A size of 1 says that 64 bits follow, a size of 0 that the box goes on to the end. */
const LARGE = 1;
const TO_THE_END = 0;

/**
 * More than a sound file has in one place, even where each of 15,000 frames is a fragment of two boxes; keeps a
 * file of nothing but empty boxes from costing time.
 */
const MAX_BOXES = 40_000;

/**
 * The boxes of a file or of another box's body, one after the other, up to where there is none. The last one may claim more
 * than there is, as where a writer never filled in the length of its data: whoever reads it finds out what is missing.
 */
export function readBoxes(bytes: Buffer, forgive: Forgive = () => {}): Box[] {
  const boxes: Box[] = [];
  let at = 0;
  while (bytes.length - at >= 8) {
    const left = bytes.length - at;
    const size = bytes.readUInt32BE(at);
    const type = bytes.toString('latin1', at + 4, at + 8);
    const header = size === LARGE ? 16 : 8;
    if (left < header) break;
    const length = size === TO_THE_END ? left : size === LARGE ? Number(bytes.readBigUInt64BE(at + 8)) : size;
    if (length < header) break;
    if (boxes.length === MAX_BOXES)
      throw new MediaError(`is an m4a with more than ${MAX_BOXES} boxes in one place`);
    if (length > left) {
      forgive({
        what: `has a "${printable(type)}" box that claims ${length} bytes, there are ${left}`,
        mended: false,
      });
    }
    boxes.push({ type, at, body: bytes.subarray(at + header, at + length) });
    at += length;
  }
  if (at < bytes.length)
    forgive({ what: `has ${bytes.length - at} bytes that are no box at its end`, mended: false });
  return boxes;
}

/** The body of the first box of a type among others. */
export function firstBox(boxes: readonly Box[], type: string): Buffer {
  const found = boxes.find((box) => box.type === type);
  if (found === undefined)
    throw new MediaError(`is an m4a that is cut short or broken: it has no "${type}" box`);
  return found.body;
}

/** The boxes inside boxes, by path. */
export function descend(body: Buffer, ...path: readonly string[]): Buffer {
  return path.reduce((inside, type) => firstBox(readBoxes(inside), type), body);
}

export function printable(type: string): string {
  return type.replace(/[^\x20-\x7e]/g, '?');
}
