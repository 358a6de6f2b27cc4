/** What lies around the frames of an mp3 or ADTS file and is not sound. */

import { MediaError } from './media.js';

const ID3V1_BYTES = 128;

/** The offset after all tags and zero padding that begin at `from`; `from` itself where there are none. */
export function skipTags(bytes: Buffer, from: number): number {
  let at = from;
  for (;;) {
    const next = at + tagLength(bytes, at);
    if (next > bytes.length) throw new MediaError(`is cut short, inside a tag that begins at offset ${at}`);
    if (next === at) return at;
    at = next;
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
      return has(bytes, at, 'TAG') ? ID3V1_BYTES : 0;
    default:
      return 0;
  }
}

function has(bytes: Buffer, at: number, signature: string): boolean {
  return bytes.toString('latin1', at, at + signature.length) === signature;
}

/** ID3v2.4 §3.1: ten bytes of header, a size in four times seven bits, and a footer where flag 0x10 is set. */
function id3v2Length(bytes: Buffer, at: number): number {
  if (!has(bytes, at, 'ID3') || at + 10 > bytes.length) return 0;
  const size = [6, 7, 8, 9].reduce((sum, i) => sum * 128 + ((bytes[at + i] ?? 0) & 0x7f), 0);
  const footer = ((bytes[at + 5] ?? 0) & 0x10) === 0 ? 0 : 10;
  return 10 + size + footer;
}

/** APEv2: a header of 32 bytes, then what it gives as its size (items and footer). */
function apeLength(bytes: Buffer, at: number): number {
  if (!has(bytes, at, 'APETAGEX') || at + 32 > bytes.length) return 0;
  return 32 + bytes.readUInt32LE(at + 12);
}
