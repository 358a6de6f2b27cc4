/** Strict base64: one spelling for every file, and words for every other. */

import fc from 'fast-check';
import t from 'tap';
import { decodeBase64 } from '../../../src/domain/media/base64.js';
import { MediaError } from '../../../src/domain/media/media.js';

const decode = (text: string) => decodeBase64(Buffer.from(text, 'latin1'));
const ALPHABET = /[A-Za-z0-9+/]/;

t.test('the test vectors of RFC 4648 §10', async (t) => {
  const vectors = { Zg: 'f', Zm8: 'fo', Zm9v: 'foo', Zm9vYg: 'foob', Zm9vYmE: 'fooba', Zm9vYmFy: 'foobar' };
  for (const [bare, plain] of Object.entries(vectors)) {
    t.equal(decode(bare.padEnd(Math.ceil(bare.length / 4) * 4, '=')).toString(), plain);
  }
});

t.test('what is refused, and where it is said to be', async (t) => {
  const cases: Array<[string, string, RegExp]> = [
    ['nothing', '', /^is empty$/],
    ['missing padding', 'Zm9vYg', /6 characters are not a multiple of 4/],
    ['half the padding', 'Zm9vYg=', /7 characters are not a multiple of 4/],
    ['too much padding', 'Zm9v====', /padding that begins at offset 4/],
    ['padding alone', '====', /padding that begins at offset 0/],
    ['three of padding', 'Z===', /padding that begins at offset 1/],
    ['characters after the padding', 'Zg==Zm9v', /characters after the padding that begins at offset 2/],
    ['padding inside a group', 'Z=9v', /padding that begins at offset 1/],
    ['a line feed', 'Zm9v\nYmF', /white space at offset 4/],
    ['a trailing line feed', 'Zm9vYmE\n', /white space at offset 7/],
    ['a leading space', ' Zm9vYmF', /white space at offset 0/],
    ['a form of URL-safe', 'Zm9-YmFy', /"-" of the URL-safe alphabet at offset 3/],
    ['the other form', 'Zm9_YmFy', /"_" of the URL-safe alphabet at offset 3/],
    ['bits under one pad', 'Zm9=', /bits are set .* at offset 2$/],
    ['bits under two pads', 'Zh==', /bits are set .* at offset 1$/],
    ['a character of another kind', 'Zm9v.mFy', /"\." at offset 4/],
    ['a NUL', 'Zm9v\0mFy', /byte 0x00 at offset 4/],
    ['a byte that is not ASCII', 'Zm9v\xe9mFy', /byte 0xe9 at offset 4/],
    ['a data: URI', 'data:image/png;base64,AAAA', /":" at offset 4/],
  ];
  for (const [name, text, detail] of cases) {
    t.throws(() => decode(text), { name: 'MediaError', detail }, name);
  }
});

t.test('faults on both sides of the border between two slices are found', async (t) => {
  const text = Buffer.from(Buffer.alloc(49_152 * 2 + 10, 7).toString('base64'), 'latin1');
  t.equal(decodeBase64(text).length, 49_152 * 2 + 10);
  for (const at of [0, 65_533, 65_534, 65_535, 65_536, 65_537, 131_071, 131_072, text.length - 3]) {
    for (const character of ['=', '-', '\n', '\xff']) {
      const wrong = Buffer.from(text);
      wrong.write(character, at, 'latin1');
      t.throws(
        () => decodeBase64(wrong),
        { name: 'MediaError', detail: new RegExp(`offset ${at}$`) },
        `${character} at ${at}`,
      );
    }
  }
  const closed = Buffer.from(text);
  closed.write('Zg==', 65_532, 'latin1');
  t.throws(() => decodeBase64(closed), { name: 'MediaError', detail: /padding that begins at offset 65534/ });
});

t.test('decoding undoes encoding', async () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 300 }), (bytes) =>
      decode(Buffer.from(bytes).toString('base64')).equals(bytes),
    ),
  );
});

t.test('one character from outside the alphabet is enough to be refused', async () => {
  const outside = fc
    .integer({ min: 0, max: 255 })
    .filter((code) => !ALPHABET.test(String.fromCharCode(code)));
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 3, maxLength: 300 }),
      fc.nat(),
      outside,
      (bytes, position, code) => {
        const text = Buffer.from(Buffer.from(bytes).toString('base64'), 'latin1');
        const body = text.length - (bytes.length % 3 === 0 ? 1 : 3 - (bytes.length % 3) + 1);
        text[position % body] = code;
        return isRefused(text);
      },
    ),
  );
});

t.test('any text at all is either the one spelling of some bytes, or refused', async () => {
  const texts = fc.string({ unit: fc.constantFrom(...'AQgwZ9+/=-_ \n'), minLength: 1, maxLength: 12 });
  fc.assert(
    fc.property(texts, (text) => {
      const bytes = Buffer.from(text, 'latin1');
      return isRefused(bytes) || decodeBase64(bytes).toString('base64') === text;
    }),
    { numRuns: 2_000 },
  );
});

t.test('memory that is given is used where it is large enough', async (t) => {
  const desk = Buffer.alloc(6, 0xee);
  const text = Buffer.from('Zm9vYmE=');
  const bytes = decodeBase64(text, desk);
  t.equal(bytes.toString(), 'fooba');
  t.equal(bytes.buffer, desk.buffer);
  t.equal(desk[5], 0xee, 'and no more of it');
  t.not(decodeBase64(text, Buffer.alloc(4)).buffer.byteLength, 4);
});

function isRefused(text: Buffer): boolean {
  try {
    decodeBase64(text);
    return false;
  } catch (error) {
    if (error instanceof MediaError) return true;
    throw error;
  }
}
