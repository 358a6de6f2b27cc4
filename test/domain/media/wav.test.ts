/** WAV: which codecs, and headers that lie. */

import t from 'tap';
import { inspectAudio } from '../../../src/domain/media/audio.js';
import { refusal, type WavOptions, wav } from './make.js';

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

t.test('headers that lie', async (t) => {
  const honest = wav();
  const cases: Array<[string, WavOptions, RegExp]> = [
    [
      'more data than there is',
      { dataClaim: 20_001 },
      /its "data" chunk claims 20001 bytes, there are 20000$/,
    ],
    ['a length never filled in', { dataClaim: 0xffffffff }, /a streamed WAV/],
    [
      'more file than there is',
      { riffClaim: honest.length - 7 },
      /its WAV claims 20037 bytes, there are 20036$/,
    ],
    ['a file length never filled in', { riffClaim: 0xffffffff }, /a streamed WAV/],
    [
      'data outside the file it claims',
      { riffClaim: 100 },
      /its "data" chunk claims 20000 bytes, there are 64/,
    ],
    [
      'a byte rate for another length',
      { byteRate: 4_000 },
      /4000 bytes a second in blocks of 1 do not go with/,
    ],
    ['a byte rate of 0', { byteRate: 0 }, /0 bytes a second/],
    ['blocks of another size', { blockBytes: 2 }, /in blocks of 2/],
    ['blocks of 0', { blockBytes: 0 }, /in blocks of 0/],
    ['no channels', { channels: 0, samples: 1 }, /0 channels/],
    ['no rate', { rate: 0 }, /, 0 Hz/],
    ['an absurd rate', { rate: 4_000_000_000, byteRate: 4_000_000_000 }, /4000000000 Hz/],
    ['a width that PCM does not have', { bits: 12, samples: 20_000 }, /12 bits/],
    ['a width that float does not have', { codec: 3, bits: 16 }, /16 bits/],
    ['mp3 inside', { codec: 0x55 }, /codec 0x0055/],
    ['mp3 inside, extensible', { codec: 0x55, extensible: true }, /codec 0x0055/],
    ['a claim of less', { dataClaim: 8_000, riffClaim: 8_036 }, /is 1 s long/],
    ['no data', { samples: 0 }, /is 0 s long/],
  ];
  for (const [name, options, detail] of cases) t.match(await refused(wav(options)), detail, name);
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
