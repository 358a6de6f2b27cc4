/** Boxes of the ISO base media format (ISO/IEC 14496-12 §4.2): a size, a type, a body. */

import { MediaError } from './media.js';

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

/** The boxes of a file or of another box's body, one after the other, each inside it. */
export function readBoxes(bytes: Buffer): Box[] {
  const boxes: Box[] = [];
  let at = 0;
  while (at < bytes.length) {
    const left = bytes.length - at;
    if (left < 8) throw cutShort();
    const size = bytes.readUInt32BE(at);
    const type = bytes.toString('latin1', at + 4, at + 8);
    const header = size === LARGE ? 16 : 8;
    if (left < header) throw cutShort();
    const length = size === TO_THE_END ? left : size === LARGE ? Number(bytes.readBigUInt64BE(at + 8)) : size;
    if (length > left) throw cutShort(type);
    if (length < header) throw new MediaError(`is a broken m4a: a box of ${length} bytes`);
    if (boxes.length === MAX_BOXES)
      throw new MediaError(`is an m4a with more than ${MAX_BOXES} boxes in one place`);
    boxes.push({ type, at, body: bytes.subarray(at + header, at + length) });
    at += length;
  }
  return boxes;
}

/** The body of the one box of a type among others. */
export function onlyBox(boxes: readonly Box[], type: string): Buffer {
  const found = boxes.filter((box) => box.type === type);
  const [box] = found;
  if (box === undefined || found.length > 1) {
    throw new MediaError(`is a broken m4a: ${found.length} "${type}" boxes where one belongs`);
  }
  return box.body;
}

/** The boxes inside boxes, by path. */
export function descend(body: Buffer, ...path: readonly string[]): Buffer {
  return path.reduce((inside, type) => onlyBox(readBoxes(inside), type), body);
}

function cutShort(type?: string): MediaError {
  const where = type === undefined ? '' : `, inside its "${type.replace(/[^\x20-\x7e]/g, '?')}" box`;
  return new MediaError(`is an m4a that is cut short${where}`);
}
