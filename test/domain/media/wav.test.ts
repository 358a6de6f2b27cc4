/** WAV: which codecs, what is cut short, and headers that are put right. */

import t from 'tap';
import { inspectAudio } from '../../../src/domain/media/audio/audio.js';
import type { Forgiven } from '../../../src/domain/media/forgiven.js';
import { patch, refusal, u32le, type WavOptions, wav } from './make.js';

const refused = (bytes: Buffer) => refusal(() => inspectAudio(bytes));

t.test('codecs that are taken', async (t) => {
  const codecs: Array<[number, number[]]> = [
    [1, [8, 16, 24, 32]],
    [3, [32, 64]],
    [6, [8]],
    [7, [8]],
  ];
  for (const [codec, widths] of codecs) {
    for (const bits of widths) {
      for (const extensible of [false, true]) {
        for (const channels of [1, 2, 6]) {
          const bytes = wav({ codec, bits, extensible, channels, samples: 5_000, rate: 2_000, odd: true });
          const name = `codec ${codec}, ${bits} bits, ${channels} channels, ${extensible ? 'extensible' : 'plain'}`;
          t.match(await inspectAudio(bytes), { format: 'wav', durationSeconds: 2.5 }, name);
        }
      }
    }
  }
});

t.test('what is cut short, or makes no sense', async (t) => {
  const cases: Array<[string, WavOptions, RegExp]> = [
    [
      'more data than there is',
      { dataClaim: 20_001, riffClaim: 20_037 },
      /cut short: its "data" chunk claims 20001 bytes, there are 20000; send the whole file$/,
    ],
    ['a file of 50 MB, cut', { dataClaim: 50_000_000, riffClaim: 50_000_036 }, /cut short/],
    ['no channels', { channels: 0, samples: 1 }, /0 channels/],
    ['more channels than there are', { channels: 600, samples: 100 }, /600 channels/],
    ['no rate', { rate: 0 }, /, 0 Hz/],
    ['an absurd rate', { rate: 4_000_000_000, byteRate: 4_000_000_000 }, /4000000000 Hz/],
    ['a width that PCM does not have', { bits: 40, samples: 20_000 }, /40 bits/],
    ['a width that float does not have', { codec: 3, bits: 16 }, /16 bits/],
    ['24 bits in four bytes', { bits: 24, blockBytes: 4 }, /24 bits in four bytes.*write three or 32 bits/],
    ['mp3 inside', { codec: 0x55 }, /codec 0x0055/],
    ['mp3 inside, extensible', { codec: 0x55, extensible: true }, /codec 0x0055/],
    ['a claim of less', { dataClaim: 8_000, riffClaim: 8_036 }, /is 1 s long/],
    ['no data', { samples: 0 }, /is 0 s long/],
  ];
  for (const [name, options, detail] of cases) t.match(await refused(wav(options)), detail, name);
});

/** What is forgiven; the sound is then what an honest header would have made of it. */
async function forgivenIn(bytes: Buffer): Promise<Forgiven[]> {
  const forgiven: Forgiven[] = [];
  t.match(await inspectAudio(bytes, (one) => forgiven.push(one)), { format: 'wav', durationSeconds: 2.5 });
  return forgiven;
}

t.test('[E6] [R15] lengths that were never filled in, and the ones that are sent instead', async (t) => {
  const claims: Array<[who: string, riff: number, data: number]> = [
    ['OpenAI, MiniMax, ffmpeg', 0xffffffff, 0xffffffff],
    ['ElevenLabs', 0x7fffffff, 0x7fffffff],
    ['Pocket TTS', 2_000_000_036, 2_000_000_000],
    ['libsndfile', 0, 0],
    ['Python wave', 36, 0],
    ['SoX, eSpeak', 0x7ffff024, 0x7ffff000],
    ['arecord', 0x80000024, 0x80000000],
    ['1 GB', 1_000_000_036, 1_000_000_000],
    ['RIFF alone', 0, 20_000],
    ['data alone', 20_036, 0xffffffff],
    ['a length of the whole file', 20_044, 20_044],
  ];
  for (const [who, riffClaim, dataClaim] of claims) {
    const bytes = wav({ riffClaim, dataClaim });
    const forgiven = await forgivenIn(bytes);
    t.ok(forgiven.length > 0 && forgiven.every(({ mended }) => mended), who);
    t.strictSame(bytes, wav(), `${who}: put right`);
  }
  t.strictSame(await forgivenIn(wav({ riffClaim: 0xffffffff, dataClaim: 0 })), [
    { what: 'has a "data" chunk that claims 0 bytes, there are 20000', mended: true },
    { what: 'has a RIFF header that claims 4294967295 bytes, there are 20036', mended: true },
  ]);
});

t.test('[R06] [E6] lengths and rates of browser recorders that are off', async (t) => {
  const honest = wav({ bits: 16 });
  const cases: Array<[who: string, WavOptions, RegExp]> = [
    [
      'RecordRTC: 8 too many',
      { riffClaim: honest.length },
      /RIFF header that claims 40044 bytes, there are 40036/,
    ],
    ['Recorder.js: 4 too few', { riffClaim: honest.length - 12 }, /RIFF header that claims 40032/],
    ['one too many', { riffClaim: honest.length - 7 }, /RIFF header that claims 40037/],
    ['Recorder.js, mono: byte rate', { byteRate: 32_000 }, /claims 32000 bytes a second, there are 16000/],
    ['a byte rate of 0', { byteRate: 0 }, /claims 0 bytes a second/],
    ['blocks of another size', { blockBytes: 4 }, /claims blocks of 4 bytes, they have 2/],
    ['blocks of 0', { blockBytes: 0 }, /claims blocks of 0 bytes/],
  ];
  for (const [who, options, what] of cases) {
    const bytes = wav({ bits: 16, ...options });
    t.match(await forgivenIn(bytes), [{ what, mended: true }], who);
    t.strictSame(bytes, honest, `${who}: put right`);
  }
  t.strictSame(await forgivenIn(wav()), [], 'nothing is said of what is right');
});

t.test('[FMedia] bits that are fewer than bytes, and codecs named in other ways', async (t) => {
  t.strictSame(await forgivenIn(patch(wav({ bits: 16 }), 34, 12)), []);
  t.strictSame(
    await forgivenIn(wav({ codec: 7, bits: 16, blockBytes: 1, byteRate: 8_000, samples: 10_000 })),
    [],
  );
  const good = wav({ extensible: true });
  const tail = 12 + 8 + 26;
  const shifted = patch(good, tail, ...Buffer.from('00000000000000001000800000aa', 'hex'));
  t.match(await forgivenIn(shifted), [{ what: /names its codec by a GUID/, mended: true }]);
  t.strictSame(shifted, good);
  t.match(await refused(patch(good, tail, 9)), /codec 0xfffe/);
});

t.test('[FMedia] RF64 becomes RIFF, and a tag in front goes away', async (t) => {
  const good = wav();
  const ds64 = Buffer.concat([
    Buffer.from('ds64'),
    u32le(28),
    u32le(0),
    u32le(0),
    u32le(20_000),
    Buffer.alloc(16),
  ]);
  const large = Buffer.concat([good.subarray(0, 12), ds64, good.subarray(12)]);
  large.write('RF64\xff\xff\xff\xff', 0, 'latin1');
  large.writeUInt32LE(0xffffffff, 12 + ds64.length + 28);
  t.match(await forgivenIn(large), [{ what: /is RF64, a WAV for more than 4 GB/, mended: true }]);
  t.strictSame(await forgivenIn(large), [], 'a WAV like any other now');
  t.equal(large.toString('latin1', 0, 4), 'RIFF');
  const bare = Buffer.from(good);
  bare.write('RF64', 0, 'latin1');
  t.match(await refused(bare), /it has no "ds64" chunk/);
  const tag = Buffer.concat([Buffer.from('ID3\x04\0\0\0\0\0\x14', 'latin1'), Buffer.alloc(20)]);
  const tagged = Buffer.concat([tag, wav({ riffClaim: 0, dataClaim: 0 })]);
  t.match(await forgivenIn(tagged), [{}, {}, { what: /begins with an ID3 tag/, mended: true }]);
  t.strictSame(tagged, Buffer.concat([good, Buffer.alloc(tag.length)]));
});

t.test('chunks that are missing, out of order, unknown or too many', async (t) => {
  const rename = (from: string, to: string) =>
    Buffer.from(wav().toString('latin1').replace(from, to), 'latin1');
  t.match(await refused(rename('fmt ', 'fmtx')), /needs a "fmt " chunk and then a "data" chunk/);
  t.match(await refused(rename('data', 'atad')), /needs a "fmt " chunk and then a "data" chunk/);
  const good = wav();
  const swapped = Buffer.concat([good.subarray(0, 12), good.subarray(36), good.subarray(12, 36)]);
  t.match(await refused(swapped), /needs a "fmt " chunk and then/);
  const short = Buffer.concat([Buffer.from('RIFF\x18\0\0\0WAVEfmt \x04\0\0\0....data\0\0\0\0', 'latin1')]);
  t.match(await refused(short), /a "fmt " chunk of 4 bytes/);
  const guid = Buffer.from(
    wav({ extensible: true }).toString('latin1').replace('\x38\x9b\x71', '\x38\x9b\x72'),
    'latin1',
  );
  t.match(await refused(guid), /codec 0xfffe/);
  const empty = Buffer.alloc(12 + 8 * 1_001);
  empty.write('RIFF....WAVE');
  empty.writeUInt32LE(empty.length - 8, 4);
  t.match(await refused(empty), /more than 1000 chunks/);
  t.match(await refused(Buffer.concat([wav(), Buffer.from('after the end')])), /^taken/);
  t.match(await inspectAudio(wav({ dataClaim: 16_000 })), { durationSeconds: 2 }, 'the rest are no chunks');
  t.match(await refused(wav({ samples: 20_001 })), /^taken/, 'the pad byte at the very end may be missing');
});
