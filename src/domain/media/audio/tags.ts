/** What lies around the frames of an mp3 or ADTS file and is not sound. */

import { MediaError } from '../media.js';

const ID3V1 = { name: 'TAG', bytes: 128 } as const;
/** Some programs put more of the same before it. */
const ID3V1_MORE = { name: 'TAG+', bytes: 227 } as const;

/** APEv2: header and footer are alike; bit 31 of the flags says that there is a header, bit 29 that this is it. */
const APE = {
  name: 'APETAGEX',
  bytes: 32,
  sizeAt: 12,
  flagsAt: 20,
  hasHeader: 0x80000000,
  isHeader: 0x20000000,
} as const;

/** Lyrics3: the first version has at most 5,100 bytes, the second says how many before its name. */
const LYRICS = {
  begin: 'LYRICSBEGIN',
  endV1: 'LYRICSEND',
  endV2: 'LYRICS200',
  nameBytes: 9,
  digits: 6,
  mostV1: 5_131,
} as const;

/**
 * The offset after all tags and zero padding that begin at `from`; `from` itself where there are none.
 * @throws {MediaError} for a tag at the beginning of the file that is longer than the file
 */
export function skipTags(bytes: Buffer, from: number): number {
  let at = from;
  for (;;) {
    const next = at + tagLength(bytes, at);
    if (next > bytes.length && from > 0) return at;
    if (next > bytes.length) throw new MediaError(`is cut short, inside a tag that begins at offset ${at}`);
    if (next === at) return at;
    at = next;
  }
}

/** Where the tags at the end of the file begin: of some only the end says that they are there. */
export function endOfSound(bytes: Buffer): number {
  let end = bytes.length;
  for (;;) {
    const length = trailingTagLength(bytes, end);
    if (length === 0 || length > end) return end;
    end -= length;
  }
}

/** How long the tag at an offset says it is, or 0. The first byte decides cheaply for the many frames. */
function tagLength(bytes: Buffer, at: number): number {
  switch (bytes[at]) {
    case 0x00:
      return 1;
    case 0x41: // A
      return apeLength(bytes, at);
    case 0x49: // I
      return id3v2Length(bytes, at);
    case 0x54: // T
      return has(bytes, at, ID3V1.name) ? ID3V1.bytes : 0;
    default:
      return 0;
  }
}

function has(bytes: Buffer, at: number, signature: string): boolean {
  return bytes.toString('latin1', at, at + signature.length) === signature;
}

/**
 * ID3v2.4 §3.1: ten bytes of header, a size in four times seven bits, and a footer where flag 0x10 is set. What has more than
 * seven bits in one of them is no tag.
 */
export function id3v2Length(bytes: Buffer, at: number): number {
  if (!has(bytes, at, 'ID3') || at + 10 > bytes.length) return 0;
  const sevens = bytes.subarray(at + 6, at + 10);
  if (sevens.some((seven) => seven > 0x7f)) return 0;
  const footer = ((bytes[at + 5] ?? 0) & 0x10) === 0 ? 0 : 10;
  return 10 + sevens.reduce((sum, seven) => sum * 128 + seven, 0) + footer;
}

/** APEv2: a header, then what it gives as its size (items and footer). A footer has its items before it. */
function apeLength(bytes: Buffer, at: number): number {
  if (!has(bytes, at, APE.name) || at + APE.bytes > bytes.length) return 0;
  const isHeader = (bytes.readUInt32LE(at + APE.flagsAt) & APE.isHeader) !== 0;
  return APE.bytes + (isHeader ? bytes.readUInt32LE(at + APE.sizeAt) : 0);
}

function trailingTagLength(bytes: Buffer, end: number): number {
  for (const { name, bytes: length } of [ID3V1_MORE, ID3V1]) {
    if (end >= length && has(bytes, end - length, name)) return length;
  }
  const ape = end - APE.bytes;
  if (ape >= 0 && has(bytes, ape, APE.name)) {
    const hasHeader = (bytes.readUInt32LE(ape + APE.flagsAt) & APE.hasHeader) !== 0;
    return bytes.readUInt32LE(ape + APE.sizeAt) + (hasHeader ? APE.bytes : 0);
  }
  return lyricsLength(bytes, end);
}

function lyricsLength(bytes: Buffer, end: number): number {
  const name = end - LYRICS.nameBytes;
  if (name < LYRICS.digits || bytes[name] !== 0x4c) return 0; // L
  if (has(bytes, name, LYRICS.endV2)) {
    const length = Number(bytes.toString('latin1', name - LYRICS.digits, name));
    const begin = name - LYRICS.digits - length;
    return begin >= 0 && has(bytes, begin, LYRICS.begin) ? end - begin : 0;
  }
  if (!has(bytes, name, LYRICS.endV1)) return 0;
  const from = Math.max(0, end - LYRICS.mostV1);
  const begin = bytes.subarray(from, end).lastIndexOf(LYRICS.begin, -1, 'latin1');
  return begin === -1 ? 0 : end - from - begin;
}
