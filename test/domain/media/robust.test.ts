/** Whatever the bytes, the answer is facts or a MediaError, and it comes soon. */

import fc from 'fast-check';
import t from 'tap';
import { inspectAudio } from '../../../src/domain/media/audio/audio.js';
import { inspectImage } from '../../../src/domain/media/image/image.js';
import { adts, fixture, mp3, refusal, wav } from './make.js';

const SOUNDS = {
  ...Object.fromEntries(
    ['cbr.mp3', 'vbr-bare.mp3', 'tagged.mp3', 'late-moov.m4a', 'early-moov.m4a', 'lc.aac', 'tagged.wav'].map(
      (name) => [name, fixture(name)],
    ),
  ),
  'made.wav': wav({ samples: 16_000, extensible: true, odd: true }),
};
const PICTURES = Object.fromEntries(
  ['baseline.jpg', 'progressive.jpg', 'restart.jpg', 'rgb.png', 'palette.png'].map((name) => [
    name,
    fixture(name),
  ]),
);

/** Both inspections, of which at most one can take the bytes. Anything but a MediaError is thrown on. */
async function inspectBoth(bytes: Buffer): Promise<boolean> {
  const answers = [await refusal(() => inspectAudio(bytes)), await refusal(() => inspectImage(bytes))];
  return answers.filter((answer) => answer.startsWith('taken')).length <= 1;
}

t.test('random bytes, behind every signature', async () => {
  const signatures = [
    '',
    '\xff\xd8\xff',
    '\x89PNG\r\n\x1a\n',
    'RIFF....WAVE',
    '....ftypM4A ',
    'ID3\x04',
    '\xff\xfb',
    '\xff\xf1',
    'TAG',
  ];
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...signatures), fc.uint8Array({ maxLength: 600 }), (signature, bytes) =>
      inspectBoth(Buffer.concat([Buffer.from(signature, 'latin1'), bytes])),
    ),
    { numRuns: 1_000 },
  );
});

t.test('good files with bits turned, a piece cut out, a piece twice', async () => {
  const files = fc.constantFrom(...Object.values(SOUNDS), ...Object.values(PICTURES));
  const edits = fc.array(fc.record({ at: fc.double({ min: 0, max: 1, noNaN: true }), bit: fc.nat(7) }), {
    maxLength: 6,
  });
  const place = fc.double({ min: 0, max: 1, noNaN: true });
  await fc.assert(
    fc.asyncProperty(files, edits, place, place, fc.boolean(), (file, flips, from, to, headOnly) => {
      const bytes = Buffer.concat([file.subarray(0, from * file.length), file.subarray(to * file.length)]);
      const range = headOnly ? Math.min(300, bytes.length) : bytes.length;
      for (const { at, bit } of flips) {
        const offset = Math.floor(at * range);
        if (offset < bytes.length) bytes[offset] = (bytes[offset] ?? 0) ^ (1 << bit);
      }
      return inspectBoth(bytes);
    }),
    { numRuns: 1_000 },
  );
});

t.test('every byte of the headers with its first or last bit turned', async (t) => {
  const table = fixture('late-moov.m4a');
  const files = { ...SOUNDS, ...PICTURES, 'moov.m4a': table };
  for (const [name, file] of Object.entries(files)) {
    const from = name === 'moov.m4a' ? file.indexOf('moov') - 4 : 0;
    const to = Math.min(file.length, from + 700);
    for (let at = from; at < to; at++) {
      for (const bit of [0x01, 0x80]) {
        const bytes = Buffer.from(file);
        bytes[at] = (bytes[at] ?? 0) ^ bit;
        await refusal(() => (name in PICTURES ? inspectImage(bytes) : inspectAudio(bytes)));
      }
    }
    t.pass(name);
  }
});

t.test('a sound cut short at any offset', async (t) => {
  const whole: Record<string, Buffer> = SOUNDS;
  const late = whole['late-moov.m4a'] ?? Buffer.alloc(0);
  const cbr = whole['cbr.mp3'] ?? Buffer.alloc(0);
  // From where on nothing of the sound is missing but, of an mp3 that promises more, a sixteenth of it.
  const from = {
    'late-moov.m4a': late.lastIndexOf('stco') + 16,
    'early-moov.m4a': Number.POSITIVE_INFINITY,
    'tagged.wav': Number.POSITIVE_INFINITY,
    'made.wav': Number.POSITIVE_INFINITY,
    'cbr.mp3': Math.floor((cbr.length * 16) / 17) - 144,
  };
  for (const [name, least] of Object.entries(from)) {
    const file = whole[name] ?? Buffer.alloc(0);
    const taken = await takenLengths(file, name.endsWith('.wav') ? 41 : 1);
    t.ok((taken[0] ?? Number.POSITIVE_INFINITY) >= least, `${name}: ${taken[0]}`);
  }
  const inside = async (file: Buffer, frame: number) =>
    (await takenLengths(file)).filter((length) => length % frame !== 0);
  t.ok((await inside(mp3(40), 72)).length > 0, 'mp3: without a promise, a cut in a frame plays');
  t.strictSame(await inside(adts(40), 16), [], 'aac: only a cut between two frames goes unseen');
});

/** Which beginnings of a file are taken: of the first 1000 bytes each, from there on every `step`. */
async function takenLengths(file: Buffer, step = 1): Promise<number[]> {
  const taken: number[] = [];
  for (let length = 0; length < file.length; length += length < 1_000 ? 1 : step) {
    const answer = await refusal(() => inspectAudio(file.subarray(0, length)));
    if (answer.startsWith('taken')) taken.push(length);
  }
  return taken;
}

t.test('files made to cost time', async (t) => {
  const fill = (size: number, ...pattern: number[]) => Buffer.alloc(size, Buffer.from(pattern));
  const begin = (bytes: Buffer, signature: string) => {
    bytes.write(signature, 'latin1');
    return bytes;
  };
  const box = [0, 0, 0, 8, 0x66, 0x72, 0x65, 0x65];
  const files: Record<string, Buffer> = {
    'sync bytes': fill(5_000_000, 0xff, 0xfb),
    'sync bytes behind a tag': begin(fill(5_000_000, 0xff), 'ID3\x04\0\0\0\0\0\0'),
    'headers, then zeros': Buffer.concat([fill(4_096, 0xff, 0xfb, 0x90, 0xc0), Buffer.alloc(4_990_000)]),
    'the smallest mp3 frames': Buffer.concat(Array.from({ length: 100_000 }, () => mp3(1).subarray(0, 24))),
    'the smallest ADTS frames': fill(5_000_000, 0xff, 0xf1, 0x50, 0x80, 0x01, 0x1f, 0xfc, 0),
    'empty boxes': begin(fill(5_000_000, ...box), '\0\0\0\x08ftyp'),
    'empty chunks': begin(Buffer.alloc(5_000_000), 'RIFF\x38\x4b\x4c\0WAVE'),
    'empty JPEG segments': begin(fill(10_000_000, 0xff, 0xe0, 0, 2), '\xff\xd8\xff\xd0'),
    'JPEG fill bytes': begin(fill(10_000_000, 0xff), '\xff\xd8'),
    'stuffed zeros': begin(fill(10_000_000, 0xff, 0), '\xff\xd8\xff\xd0'),
    'JPEG restarts': begin(fill(10_000_000, 0xff, 0xd0), '\xff\xd8'),
    'empty PNG chunks': begin(fill(10_000_000, ...box, 0, 0, 0, 0), '\x89PNG\r\n\x1a\n'),
  };
  for (const [name, bytes] of Object.entries(files)) {
    const begun = performance.now();
    await inspectBoth(bytes);
    const took = performance.now() - begun;
    t.ok(took < 2_000, `${name}: ${took.toFixed(0)} ms`);
  }
});
