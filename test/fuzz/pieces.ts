/** The pieces that the formats consist of. They are lenient: whatever is left over is a piece as well. */

import { crc32 } from 'node:zlib';

/** Cuts where `lengthAt` says; a piece that would be longer than the rest, or of no length, is the rest. */
function cut(bytes: Buffer, from: number, lengthAt: (at: number) => number): Buffer[] {
  const pieces = from > 0 ? [bytes.subarray(0, from)] : [];
  for (let at = from; at < bytes.length; ) {
    const length = at + 8 <= bytes.length ? lengthAt(at) : 0;
    const end = length > 0 && at + length <= bytes.length ? at + length : bytes.length;
    pieces.push(bytes.subarray(at, end));
    at = end;
  }
  return pieces;
}

export const pngChunks = (bytes: Buffer) => cut(bytes, 8, (at) => bytes.readUInt32BE(at) + 12);

export const riffChunks = (bytes: Buffer) =>
  cut(bytes, 12, (at) => {
    const length = bytes.readUInt32LE(at + 4) + 8;
    return length + (length % 2);
  });

/** Markers with their segments; a scan is a piece with what follows it. */
export function jpegSegments(bytes: Buffer): Buffer[] {
  return cut(bytes, 2, (at) => {
    const next = bytes.readUInt8(at + 1) === 0xda ? bytes.indexOf(0xff, at + 2) : -1;
    return next === -1 ? bytes.readUInt16BE(at + 2) + 2 : next - at;
  });
}

/** Boxes that hold others are opened, so that the pieces are their headers and what is in them. */
const CONTAINERS = new Set(['moov', 'trak', 'mdia', 'minf', 'stbl', 'edts', 'mvex', 'moof', 'traf']);

export const boxes = (bytes: Buffer) =>
  cut(bytes, 0, (at) => {
    const isContainer = CONTAINERS.has(bytes.toString('latin1', at + 4, at + 8));
    return isContainer ? 8 : bytes.readUInt32BE(at);
  });

/** From each byte 0xff that may begin a frame to the next. */
export function frames(bytes: Buffer): Buffer[] {
  return cut(bytes, 0, (at) => {
    const next = bytes.indexOf(0xff, at + 4);
    return next === -1 ? 0 : next - at;
  });
}

/** Writes the right checksum into every chunk of a PNG, as far as they follow each other. */
export function mendPng(bytes: Buffer): void {
  for (let at = 8; at + 12 <= bytes.length; ) {
    const end = at + 8 + bytes.readUInt32BE(at);
    if (end + 4 > bytes.length) return;
    bytes.writeUInt32BE(crc32(bytes.subarray(at + 4, end)), end);
    at = end + 4;
  }
}
