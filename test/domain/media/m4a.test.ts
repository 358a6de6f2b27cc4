/** M4A: which codecs, and tables that lie. */

import t from 'tap';
import { inspectAudio } from '../../../src/domain/media/audio.js';
import { fixture, patch, refusal, u32be } from './make.js';

const refused = (bytes: Buffer) => refusal(() => inspectAudio(bytes));
const good = fixture('late-moov.m4a');

/** Where the body of the first box of a type begins. */
const body = (type: string, bytes = good) => bytes.indexOf(type, 0, 'latin1') + 4;
const number = (value: number) => [...u32be(value)];
const put = (type: string, offset: number, value: number) =>
  patch(good, body(type) + offset, ...number(value));

t.test('the edit list is what is played, and never more than there is', async (t) => {
  const edited = async (duration: number) => (await inspectAudio(put('elst', 8, duration))).durationSeconds;
  t.equal(await edited(2_100), 2.1);
  t.equal(await edited(99_000), 2.523, 'all of it');
  t.equal(await edited(0), 2.523, 'no duration: all of it');
  t.match(await refused(put('elst', 8, 1_999)), /is 1.999 s long/);
  t.equal((await inspectAudio(put('elst', 12, 0xffffffff))).durationSeconds, 2.523, 'a pause plays nothing');
  const without = Buffer.from(good.toString('latin1').replace('edts', 'free'), 'latin1');
  t.equal((await inspectAudio(without)).durationSeconds, 2.523);
});

t.test('a sound in many chunks, between something else', async (t) => {
  const film = fixture('film.mp4');
  const chunks = film.readUInt32BE(film.lastIndexOf('stco') + 8);
  t.ok(chunks > 1, `${chunks} chunks`);
  const chapters = patch(film, film.indexOf('vide'), ...Buffer.from('text'));
  t.match(await inspectAudio(chapters), { format: 'm4a', durationSeconds: 2.5 });
  t.match(await refused(patch(chapters, film.lastIndexOf('stco') + 12, 0x7f)), /cut short/);
  t.match(await refused(patch(chapters, film.lastIndexOf('stco') + 11, chunks - 1)), /chunks for \d+ of 109/);
});

t.test('a cut that no box shows', async (t) => {
  const early = fixture('early-moov.m4a');
  const open = patch(early, early.indexOf('mdat') - 4, 0, 0, 0, 0);
  t.match(await refused(open), /^taken/, 'mdat goes on to the end');
  t.match(await refused(open.subarray(0, -1)), /cut short: sound up to byte 8269, the file has 8268/);
});

t.test('tables that contradict each other or the file', async (t) => {
  const cases: Array<[string, Buffer, RegExp]> = [
    ['a slower time scale', put('mdhd', 12, 441), /header lies: it claims 252.322 s, there are 2.531 s/],
    ['a faster time scale', put('mdhd', 12, 441_000), /header lies: it claims 0.252 s, there are 2.531 s/],
    ['no time scale', put('mdhd', 12, 0), /a time scale of 0/],
    ['longer samples', put('stts', 12, 4_096), /header lies/],
    ['more samples', put('stts', 8, 1_000_000), /sizes for 1000001 samples/],
    ['fewer sizes', put('stsz', 8, 5), /5 sizes for 109 samples/],
    ['a sample of no bytes', put('stsz', 16, 0), /sample 1 has no bytes/],
    ['sizes beyond the file', put('stsz', 12, 1_000_000), /cut short: sound up to byte/],
    ['chunks beyond the file', put('stco', 8, 1_000_000), /cut short: sound up to byte/],
    ['fewer chunks', put('stco', 4, 0), /chunks for 0 of 109 samples/],
    ['more chunks than offsets', put('stco', 4, 0xffffffff), /a box is too short/],
    ['more durations than there are', put('stts', 4, 0xffffffff), /a box is too short/],
    ['more samples in a chunk', put('stsc', 12, 200), /chunks for more than 109 samples/],
    ['an entry of another codec', patch(good, body('mp4a') - 4, 0x61, 0x63, 0x2d, 0x33), /not AAC \(ac-3\)/],
    ['no sound track', patch(good, body('hdlr') + 8, 0x74, 0x65, 0x78, 0x74), /0 sound tracks/],
    ['a box of 4 bytes', put('moov', -8, 4), /a box of 4 bytes/],
    ['a box of 64 bits too small', patch(good, body('free') - 8, 0, 0, 0, 1), /(cut short|a box of)/],
    ['no moov', patch(good, body('moov') - 4, 0x66, 0x72, 0x65, 0x65), /0 "moov" boxes where one belongs/],
  ];
  for (const [name, bytes, detail] of cases) t.match(await refused(bytes), detail, name);
});

t.test('what the description of the codec may say', async (t) => {
  const esds = body('esds');
  const decoder = good.indexOf(Buffer.from([0x04, 0x80, 0x80, 0x80]), esds) + 5;
  const config = good.indexOf(Buffer.from([0x05, 0x80, 0x80, 0x80]), esds) + 5;
  t.equal(good[decoder], 0x40);
  t.strictSame([...good.subarray(config, config + 2)], [0x12, 0x08], 'LC, 44100 Hz, mono');
  const taken: Array<[string, Buffer]> = [
    ['MPEG-2 AAC LC', patch(good, decoder, 0x67)],
    ['Main', patch(good, config, 0x0a)],
    ['960 samples a frame', patch(put('mdhd', 12, 50_000), config + 1, 0x0c)],
    ['HE-AAC around LC', patch(good, config, 0x2a, 0x0a, 0x08)],
    ['LTP', patch(good, config, 0x22)],
  ];
  for (const [name, bytes] of taken) t.match(await refused(bytes), /^taken/, name);
  const not: Array<[string, Buffer, RegExp]> = [
    ['mp3', patch(good, decoder, 0x6b), /object type 0x6b/],
    ['xHE-AAC', patch(good, config, 0xf9, 0x48), /MPEG-4 audio object type 42/],
    ['HE-AAC around CELP', patch(good, config, 0x2a, 0x0a, 0x20), /MPEG-4 audio object type 8/],
    ['CELP', patch(good, config, 0x42), /MPEG-4 audio object type 8/],
    ['half the rate', patch(good, config, 0x13, 0x88), /header lies/],
    ['a reserved rate', patch(good, config, 0x16, 0x88), /no sample rate/],
    ['another descriptor', patch(good, decoder - 5, 0x06), /"esds" box is out of order/],
    ['a description too short', patch(good, config - 1, 1), /a box is too short/],
  ];
  for (const [name, bytes, detail] of not) t.match(await refused(bytes), detail, name);
});

t.test('boxes of 64 bits, to the end of the file, and too many', async (t) => {
  const large = Buffer.concat([u32be(1), Buffer.from('free'), u32be(0), u32be(20), Buffer.alloc(4)]);
  t.match(await refused(Buffer.concat([good, large])), /^taken/);
  t.match(await refused(Buffer.concat([good, patch(large, 15, 21)])), /cut short, inside its "free" box/);
  t.match(await refused(Buffer.concat([good, patch(large, 15, 15)])), /a box of 15 bytes/);
  t.match(await refused(put('moov', -8, 0)), /^taken/, 'moov goes on to the end');
  const free = Buffer.concat([u32be(8), Buffer.from('free')]);
  const many = Buffer.concat([good, ...Array.from({ length: 40_000 }, () => free)]);
  t.match(await refused(many), /more than 40000 boxes/);
});
