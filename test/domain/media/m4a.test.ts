/** M4A: which codecs, and tables that lie. */

import t from 'tap';
import { inspectAudio } from '../../../src/domain/media/audio/audio.js';
import type { Forgiven } from '../../../src/domain/media/forgiven.js';
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
    ['fewer sizes', put('stsz', 8, 5), /chunks for more than 5 samples/],
    ['a sample of no bytes', put('stsz', 16, 0), /sample 1 has no bytes/],
    ['sizes beyond the file', put('stsz', 12, 1_000_000), /cut short: sound up to byte/],
    ['chunks beyond the file', put('stco', 8, 1_000_000), /cut short: sound up to byte/],
    ['fewer chunks', put('stco', 4, 0), /chunks for 0 of 109 samples/],
    ['more chunks than offsets', put('stco', 4, 0xffffffff), /a box is too short/],
    ['more durations than there are', put('stts', 4, 0xffffffff), /a box is too short/],
    ['more samples in a chunk', put('stsc', 12, 200), /chunks for more than 109 samples/],
    ['an entry of another codec', patch(good, body('mp4a') - 4, 0x61, 0x63, 0x2d, 0x33), /not AAC \(ac-3\)/],
    ['no sound track', patch(good, body('hdlr') + 8, 0x74, 0x65, 0x78, 0x74), /0 sound tracks/],
    ['a box of 4 bytes', put('moov', -8, 4), /no "moov" box/],
    ['a box of 64 bits too small', patch(good, body('free') - 8, 0, 0, 0, 1), /(cut short|a box of)/],
    [
      'no moov',
      patch(good, body('moov') - 4, 0x66, 0x72, 0x65, 0x65),
      /cut short, or no sound at all: it has no "moov" box/,
    ],
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
  t.match(await refused(Buffer.concat([good, patch(large, 15, 21)])), /^taken/, 'longer than the file');
  t.match(await refused(Buffer.concat([good, patch(large, 15, 15)])), /^taken/, 'shorter than its header');
  t.match(await refused(put('moov', -8, 0)), /^taken/, 'moov goes on to the end');
  const free = Buffer.concat([u32be(8), Buffer.from('free')]);
  const many = Buffer.concat([good, ...Array.from({ length: 40_000 }, () => free)]);
  t.match(await refused(many), /more than 40000 boxes/);
});

/** What is forgiven in a sound that is taken. */
async function forgivenIn(bytes: Buffer): Promise<Forgiven[]> {
  const forgiven: Forgiven[] = [];
  t.equal((await inspectAudio(bytes, (one) => forgiven.push(one))).format, 'm4a');
  return forgiven;
}

t.test('[E17] brands of phones: what is in it counts, and 3GPP is sent as what it is', async (t) => {
  for (const brand of ['3gp4', '3gp5', '3g2a']) {
    const bytes = patch(good, 8, ...Buffer.from(brand));
    const what = `is a 3GPP file (its brand is "${brand}") with the sound of an m4a`;
    t.strictSame(await forgivenIn(bytes), [{ what, mended: true }]);
    t.equal(bytes.toString('latin1', 4, 12), 'ftypM4A ');
  }
  t.match(await forgivenIn(patch(good, 8, ...Buffer.from('qt  '))), [{ what: /QuickTime/, mended: false }]);
  t.match(await forgivenIn(patch(good, 4, ...Buffer.from('wide'))), [
    { what: /old QuickTime/, mended: false },
  ]);
  t.match(
    await forgivenIn(fixture('film.mov')),
    [{ what: /QuickTime/, mended: false }],
    'esds inside of wave',
  );
  t.strictSame(await forgivenIn(patch(good, 8, ...Buffer.from('zzzz'))), [], 'one that nobody knows');
});

t.test('[E17] bytes behind the last box, and data that claims more than there is', async (t) => {
  for (const behind of ['\0', '\0\0\0\0', 'seven b', '\0\0\0\x03free....']) {
    const bytes = Buffer.concat([good, Buffer.from(behind, 'latin1')]);
    const what = `has ${behind.length} bytes that are no box at its end`;
    t.strictSame(await forgivenIn(bytes), [{ what, mended: false }]);
  }
  const early = fixture('early-moov.m4a');
  const streamed = patch(early, early.indexOf('mdat') - 4, 0x7f, 0xff, 0xff, 0xff);
  t.match(await forgivenIn(streamed), [{ what: /"mdat" box that claims 2147483647 bytes, there are \d+/ }]);
  t.match(await refused(streamed.subarray(0, -1)), /cut short: sound up to byte/, 'and is cut');
});

t.test('[FMedia] as many samples as have sizes, of 32 bits or fewer', async (t) => {
  t.equal((await inspectAudio(put('stts', 8, 1_000_000))).durationSeconds, 2.5, 'durations for more');
  const stsz = body('stsz') - 8;
  const compact = (bits: number, fields: Buffer) => {
    const header = Buffer.concat([u32be(0), u32be(bits), u32be(109), fields]);
    const size = good.readUInt32BE(stsz);
    const free = Buffer.concat([u32be(size - header.length - 8), Buffer.from('free')]);
    const box = Buffer.concat([u32be(header.length + 8), Buffer.from('stz2'), header, free]);
    return patch(good, stsz, ...box);
  };
  const each = (at: number) => good.readUInt32BE(body('stsz') + 12 + 4 * at);
  const fields = Buffer.alloc(218);
  for (let i = 0; i < 109; i++) fields.writeUInt16BE(each(i), 2 * i);
  t.equal((await inspectAudio(compact(16, fields))).durationSeconds, 2.5);
  t.equal((await inspectAudio(compact(8, Buffer.alloc(109, 9)))).durationSeconds, 2.5);
  t.equal((await inspectAudio(compact(4, Buffer.alloc(55, 0x99)))).durationSeconds, 2.5);
  t.match(await refused(compact(5, Buffer.alloc(109, 9))), /sizes of 5 bits/);
});
