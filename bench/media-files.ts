/** Media as large as the contract allows, made in code and incompressible, and the bodies that carry them. */

import { randomFillSync } from 'node:crypto';

const MAX_IMAGE_BYTES = 10_000_000;
const MAX_AUDIO_BYTES = 5_000_000;
const BOUNDARY = 'bench-media-4d41f2a0c9';

export interface Body {
  readonly contentType: string;
  readonly bytes: Buffer;
}

/** The same portrait and the same speech, once as base64 in JSON and once as files. */
export function makeBodies(): { readonly json: Body; readonly multipart: Body } {
  return bodiesOf({ image: makeJpeg(MAX_IMAGE_BYTES), sound: makeWav(MAX_AUDIO_BYTES) });
}

export function bodiesOf({ image, sound }: { readonly image: Buffer; readonly sound: Buffer }) {
  const json = JSON.stringify({ image: image.toString('base64'), sound_file: sound.toString('base64') });
  const part = (name: string, file: string, type: string, bytes: Buffer) => [
    Buffer.from(`--${BOUNDARY}\r\nContent-Disposition: form-data; name="${name}"; filename="${file}"\r\n`),
    Buffer.from(`Content-Type: ${type}\r\n\r\n`),
    bytes,
    Buffer.from('\r\n'),
  ];
  const form = Buffer.concat([
    ...part('image', 'portrait', 'application/octet-stream', image),
    ...part('sound_file', 'speech', 'application/octet-stream', sound),
    Buffer.from(`--${BOUNDARY}--\r\n`),
  ]);
  return {
    json: { contentType: 'application/json', bytes: Buffer.from(json) },
    multipart: { contentType: `multipart/form-data; boundary=${BOUNDARY}`, bytes: form },
  };
}

const BLOCKS_A_ROW = 320;
const COEFFICIENTS = 63;
/** The size of a coefficient in bits: the largest that baseline has (ITU-T T.81 table F.2). */
const COEFFICIENT_BITS = 10;
const BYTES_A_BLOCK = (1 + COEFFICIENTS * (1 + COEFFICIENT_BITS)) / 8;
/** What stuffing adds is less than this, and so is what the headers take. */
const STUFFING = 1.002;
const HEADERS = 1_000;

/**
 * A grey baseline JPEG of at most so many bytes, which decoders read to its last pixel: random coefficients, each
 * behind the one code that its Huffman table has.
 */
function makeJpeg(maxBytes: number): Buffer {
  const blocks = (maxBytes - HEADERS) / (BYTES_A_BLOCK * STUFFING);
  const rows = Math.floor(blocks / BLOCKS_A_ROW);
  const frame = Buffer.from([8, 0, 0, 0, 0, 1, 1, 0x11, 0]);
  frame.writeUInt16BE(rows * 8, 1);
  frame.writeUInt16BE(BLOCKS_A_ROW * 8, 3);
  const oneCode = [1, ...new Array<number>(15).fill(0)];
  return Buffer.concat([
    Buffer.from([0xff, 0xd8]),
    segment(0xdb, Buffer.from([0, ...new Array<number>(64).fill(1)])),
    segment(0xc0, frame),
    segment(0xc4, Buffer.from([0x00, ...oneCode, 0, 0x10, ...oneCode, COEFFICIENT_BITS])),
    segment(0xda, Buffer.from([1, 1, 0, 0, 63, 0])),
    makeScan(rows * BLOCKS_A_ROW),
    Buffer.from([0xff, 0xd9]),
  ]);
}

function segment(marker: number, data: Buffer): Buffer {
  const head = Buffer.from([0xff, marker, 0, 0]);
  head.writeUInt16BE(data.length + 2, 2);
  return Buffer.concat([head, data]);
}

/** Entropy-coded data: in each block a DC that stays what it was, and random coefficients. */
function makeScan(blocks: number): Buffer {
  const random = randomFillSync(new Uint16Array(blocks * COEFFICIENTS));
  const scan = Buffer.alloc(Math.ceil(blocks * BYTES_A_BLOCK * STUFFING) + 2);
  let [at, pending, pendingBits] = [0, 0, 0];
  const put = (value: number, bits: number): void => {
    pending = ((pending << bits) | value) & 0x3ffff;
    for (pendingBits += bits; pendingBits >= 8; pendingBits -= 8) {
      const byte = (pending >> (pendingBits - 8)) & 0xff;
      scan[at++] = byte;
      if (byte === 0xff) at++; // Stuffed with a zero (B.1.1.5).
    }
  };
  for (const [n, value] of random.entries()) {
    if (n % COEFFICIENTS === 0) put(0, 1);
    put(value & 0x3ff, 1 + COEFFICIENT_BITS);
  }
  if (pendingBits > 0) put(0xff >> pendingBits, 8 - pendingBits);
  return scan.subarray(0, at);
}

const WAV_HEADER_BYTES = 44;
const SAMPLES_A_SECOND = 44_100;

/** Noise of 16 bits, mono, in at most so many bytes. */
function makeWav(maxBytes: number): Buffer {
  const bytes = randomFillSync(Buffer.alloc(maxBytes - (maxBytes % 2)));
  const dataBytes = bytes.length - WAV_HEADER_BYTES;
  bytes.write('RIFF', 0, 'latin1');
  bytes.writeUInt32LE(bytes.length - 8, 4);
  bytes.write('WAVEfmt ', 8, 'latin1');
  bytes.writeUInt32LE(16, 16);
  bytes.writeUInt16LE(1, 20);
  bytes.writeUInt16LE(1, 22);
  bytes.writeUInt32LE(SAMPLES_A_SECOND, 24);
  bytes.writeUInt32LE(SAMPLES_A_SECOND * 2, 28);
  bytes.writeUInt16LE(2, 32);
  bytes.writeUInt16LE(16, 34);
  bytes.write('data', 36, 'latin1');
  bytes.writeUInt32LE(dataBytes, 40);
  return bytes;
}
