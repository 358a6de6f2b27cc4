/** Fragmented MP4: where lengths and places come from, and what contradicts the file. */

import t from 'tap';
import { inspectAudio } from '../../../src/domain/media/audio/audio.js';
import { fixture, patch, refusal, u32be } from './make.js';

const refused = (bytes: Buffer) => refusal(() => inspectAudio(bytes));
const good = fixture('fragmented.m4a');
const text = (value: string) => Buffer.from(value, 'latin1');

const body = (type: string) => good.indexOf(type, 0, 'latin1') + 4;
const put = (type: string, offset: number, value: number) =>
  patch(good, body(type) + offset, ...u32be(value));

function box(type: string, ...parts: readonly Buffer[]): Buffer {
  const inside = Buffer.concat(parts);
  return Buffer.concat([u32be(inside.length + 8), text(type), inside]);
}

interface Part {
  readonly tfhd: readonly Buffer[];
  readonly trun: readonly Buffer[];
}

/** The fixture's beginning, and then fragments with the given headers and runs, 4000 bytes of data behind each. */
function fragments(...parts: readonly Part[]): Buffer {
  const moofs = parts.map(({ tfhd, trun }) =>
    box('moof', box('traf', box('tfhd', ...tfhd), box('trun', ...trun))),
  );
  const start = good.subarray(0, good.indexOf('moof') - 4);
  return Buffer.concat([start, ...moofs.flatMap((moof) => [moof, box('mdat', Buffer.alloc(4_000))])]);
}

const TRACK = u32be(1);
const flags = (value: number) => u32be(value);
/** Samples of 1024 units and one byte, unless said otherwise. */
const SAME = [flags(0x18), TRACK, u32be(1_024), u32be(1)];

t.test('defaults, own values, and several fragments', async (t) => {
  const seconds = async (...parts: readonly Part[]) =>
    (await inspectAudio(fragments(...parts))).durationSeconds;
  const rate = 44_100;
  const run = [flags(0), u32be(100)];
  t.equal(await seconds({ tfhd: SAME, trun: run }), Number(((100 * 1_024) / rate).toFixed(3)));
  t.equal(
    await seconds({ tfhd: SAME, trun: run }, { tfhd: SAME, trun: [flags(1), u32be(90), u32be(8)] }),
    Number(((190 * 1_024) / rate).toFixed(3)),
  );
  const all = [flags(0x03), TRACK, u32be(0), u32be(0), u32be(1)];
  const each = Array.from({ length: 100 }, () => [u32be(1_030), u32be(2), u32be(0), u32be(0)]).flat();
  t.equal(
    await seconds({ tfhd: all, trun: [flags(0xf05), u32be(100), u32be(100), u32be(0), ...each] }),
    Number(((100 * 1_030) / rate).toFixed(3)),
  );
});

t.test('fragments of another track are not counted', async (t) => {
  const other = { tfhd: [flags(0x18), u32be(2), u32be(1_024), u32be(1)], trun: [flags(0), u32be(1_000)] };
  t.match(await refused(fragments(other)), /^is 0 s long/);
});

t.test('what contradicts the file, or itself', async (t) => {
  const cases: Array<[string, Buffer, RegExp]> = [
    ['more samples than the run has', put('trun', 4, 0xffffffff), /a run is too short/],
    ['data beyond the file', put('trun', 8, 1_000_000), /cut short: sound up to byte/],
    ['no defaults', patch(good, body('mvex') - 4, ...text('free')), /no "mvex" box/],
    ['defaults of another track', put('trex', 4, 9), /no "trex" box/],
    [
      'samples without bytes',
      fragments({ tfhd: [flags(0x18), TRACK, u32be(1_024), u32be(0)], trun: [flags(0), u32be(100)] }),
      /header lies: 100 samples in 0 bytes/,
    ],
    [
      'samples longer than frames are',
      fragments({ tfhd: [flags(0x18), TRACK, u32be(99_000), u32be(1)], trun: [flags(0), u32be(100)] }),
      /header lies: it claims 224.490 s, there are 2.322 s/,
    ],
    [
      'a header too short',
      fragments({ tfhd: [flags(0x18), TRACK], trun: [flags(0), u32be(1)] }),
      /too short/,
    ],
    ['cut', good.subarray(0, -100), /cut short/],
    ['only the beginning', good.subarray(0, good.indexOf('moof') - 4), /^is 0 s long/],
  ];
  for (const [name, bytes, detail] of cases) t.match(await refused(bytes), detail, name);
});
