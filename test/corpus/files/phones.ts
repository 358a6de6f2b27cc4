/** AAC as phones, browsers and streams put it into MP4, 3GPP and QuickTime: brands, boxes, sizes, and what stands behind. */

import { patch, u32be } from '../../domain/media/make.js';
import { type CorpusFile, files, type Kit } from '../kit.js';
import { cover, ID3V1, noise } from './sounds.js';

const text = (value: string) => Buffer.from(value, 'latin1');
const m4a = (kit: Kit, ...args: readonly string[]) =>
  kit.sound('m4a', ...noise(2.5, 16_000), '-ac', '1', '-b:a', '24k', ...args);
const late = (kit: Kit) => m4a(kit);
const early = (kit: Kit) => m4a(kit, '-movflags', '+faststart');

const box = (type: string, ...parts: readonly Buffer[]) => {
  const body = Buffer.concat(parts);
  return Buffer.concat([u32be(body.length + 8), text(type), body]);
};

/** Where the first box of a type begins. */
const find = (bytes: Buffer, type: string) => bytes.indexOf(type, 0, 'latin1') - 4;

/** Major brand, version and three compatible brands in place of those of ffmpeg: as many bytes. */
const branded = (bytes: Buffer, major: string, ...others: readonly string[]) =>
  patch(bytes, 8, ...text(`${major}\0\0\0\0${[...others, major, major, major].slice(0, 3).join('')}`));

/**
 * Another box in place of the first one of a type, which lies in the given ones; these become as long. What is behind it
 * moves, so that offsets must not point there: `moov` stands at the end.
 */
function replace(bytes: Buffer, path: readonly string[], make: (old: Buffer) => Buffer): Buffer {
  const inner = path.at(-1) ?? '';
  const at = find(bytes, inner);
  const end = at + bytes.readUInt32BE(at);
  const made = make(bytes.subarray(at, end));
  const out = Buffer.concat([bytes.subarray(0, at), made, bytes.subarray(end)]);
  for (const outer of path.slice(0, -1)) {
    const from = find(out, outer);
    out.writeUInt32BE(out.readUInt32BE(from) + made.length - (end - at), from);
  }
  return out;
}

const TABLE = ['moov', 'trak', 'mdia', 'minf', 'stbl'];
const ENTRY = [...TABLE, 'stsd', 'mp4a'];

const BRANDS: ReadonlyArray<readonly [who: string, major: string, ...others: string[]]> = [
  ['Android MediaRecorder, THREE_GPP', '3gp4', 'isom', '3gp4'],
  ['Android MediaRecorder, MPEG_4', 'mp42', 'isom', 'mp42'],
  ['an older Android', '3gp5', '3gp5', 'isom'],
  ['a Nokia', '3gp6', '3gp6', '3g2a'],
  ['a phone of CDMA', '3g2a', '3g2a'],
  ['KDDI', 'kddi', '3g2a'],
  ['iOS Voice Memos', 'M4A ', 'M4A ', 'mp42', 'isom'],
  ['iOS, QuickTime', 'qt  ', 'qt  '],
  ['iTunes, protected name', 'M4P ', 'mp42'],
  ['a phone of Apple, film name', 'M4V ', 'mp42'],
  ['GPAC', 'isom', 'isom'],
  ['Safari MediaRecorder', 'iso5', 'iso5', 'isom'],
  ['Chrome MediaRecorder', 'iso6', 'iso6', 'mp41'],
  ['CMAF', 'cmfc', 'iso6'],
  ['DASH', 'dash', 'iso6', 'mp41'],
  ['a segment', 'msdh', 'msdh', 'msix'],
  ['Adobe', 'F4A ', 'isom'],
  ['Sony', 'MSNV', 'mp42'],
  ['H.264 name', 'avc1', 'isom'],
  ['a brand of nobody', 'zzzz', 'zzzz'],
  ['a brand of zeros', '\0\0\0\0', '\0\0\0\0'],
];

/** What a writer, a copy or a server left behind the last box. */
const BEHIND: Readonly<Record<string, Buffer>> = {
  'one zero': Buffer.alloc(1),
  'four zeros (QuickTime)': Buffer.alloc(4),
  'seven bytes': text('1234567'),
  zeros: Buffer.alloc(600),
  'a line feed': text('\r\n'),
  text: text('--boundary--\r\nContent-Type: text/plain\r\n'),
  ones: Buffer.alloc(300, 0xff),
  ID3v1: ID3V1,
  'a box that claims 1 GB': Buffer.concat([u32be(1_000_000_000), text('free'), Buffer.alloc(90)]),
  'a box of 3 bytes': Buffer.concat([u32be(3), text('free'), Buffer.alloc(90)]),
  'a uuid box': box('uuid', Buffer.alloc(200, 0x11)),
};

/** `moov` in front, and data whose box says something else of its length. */
const dataSize = async (kit: Kit, size: (real: number) => number) => {
  const bytes = await early(kit);
  const at = find(bytes, 'mdat');
  return patch(bytes, at, ...u32be(size(bytes.readUInt32BE(at))));
};

const SHAPES = files('audio', {
  'm4a phone: data of 64 bits': async (kit) => {
    const bytes = await late(kit);
    const at = find(bytes, 'mdat');
    const size = bytes.readUInt32BE(at) + 8;
    return patch(bytes, at - 8, ...u32be(1), ...text('mdat'), ...u32be(0), ...u32be(size));
  },
  'm4a phone: data up to the end': (kit) => dataSize(kit, () => 0),
  'm4a phone: data that claims 1,000 bytes more': (kit) => dataSize(kit, (size) => size + 1_000),
  'm4a phone: data that claims 0x7fffffff': (kit) => dataSize(kit, () => 0x7fffffff),
  'm4a phone: data that claims 0xffffffff': (kit) => dataSize(kit, () => 0xffffffff),
  'm4a phone: data that claims 100 bytes less': (kit) => dataSize(kit, (size) => size - 100),
  'm4a phone: wide instead of free': async (kit) =>
    patch(await late(kit), find(await late(kit), 'free') + 4, ...text('wide')),
  'm4a phone: skip instead of free': async (kit) =>
    patch(await late(kit), find(await late(kit), 'free') + 4, ...text('skip')),
  'm4a phone: no ftyp (an old QuickTime)': async (kit) => patch(await late(kit), 4, ...text('wide')),
  'm4a phone: offsets of 64 bits': async (kit) =>
    replace(await late(kit), [...TABLE, 'stco'], (stco) => {
      const offsets = Array.from({ length: (stco.length - 16) / 4 }, (_, i) =>
        stco.subarray(16 + i * 4, 20 + i * 4),
      );
      return box('co64', stco.subarray(8, 16), ...offsets.flatMap((offset) => [u32be(0), offset]));
    }),
  'm4a phone: sizes of 16 bits (stz2)': async (kit) =>
    replace(await late(kit), [...TABLE, 'stsz'], (stsz) => {
      const sizes = Array.from({ length: (stsz.length - 20) / 4 }, (_, i) =>
        stsz.subarray(22 + i * 4, 24 + i * 4),
      );
      return box('stz2', u32be(0), u32be(16), stsz.subarray(16, 20), ...sizes);
    }),
  'm4a phone: a free box inside moov': async (kit) =>
    replace(await late(kit), ['moov', 'mvhd'], (old) => Buffer.concat([old, box('free', Buffer.alloc(40))])),
  'm4a phone: a uuid box inside the table': async (kit) =>
    replace(await late(kit), [...TABLE, 'stsc'], (old) =>
      Buffer.concat([old, box('uuid', Buffer.alloc(40))]),
    ),
  'm4a phone: esds with lengths of one byte (Android)': async (kit) =>
    replace(await late(kit), [...ENTRY, 'esds'], (esds) => {
      // Tag, three bytes of 0x80, length: only the last is needed.
      const short = Buffer.from(esds.toString('latin1', 12).replaceAll('\x80\x80\x80', ''), 'latin1');
      short.writeUInt8(short.length - 2, 1);
      const decoder = short.indexOf('\x04', 5, 'latin1');
      short.writeUInt8(short.readUInt8(decoder + 1) - 3, decoder + 1);
      return box('esds', esds.subarray(8, 12), short);
    }),
  'm4a phone: an entry of QuickTime, version 1': async (kit) =>
    replace(branded(await late(kit), 'qt  '), ENTRY, (entry) =>
      box(
        'mp4a',
        entry.subarray(8, 16),
        Buffer.from([0, 1]),
        entry.subarray(18, 36),
        Buffer.alloc(16),
        entry.subarray(36),
      ),
    ),
  'm4a phone: an entry of QuickTime, version 1, esds in wave': async (kit) =>
    replace(branded(await late(kit), 'qt  '), ENTRY, (entry) => {
      const wave = box(
        'wave',
        box('frma', text('mp4a')),
        box('mp4a', u32be(0)),
        entry.subarray(36),
        box('\0\0\0\0'),
      );
      const head = [entry.subarray(8, 16), Buffer.from([0, 1]), entry.subarray(18, 36), Buffer.alloc(16)];
      return box('mp4a', ...head, wave);
    }),
  'm4a phone: an entry of QuickTime, version 2': async (kit) =>
    replace(branded(await late(kit), 'qt  '), ENTRY, (entry) => {
      const rate = Buffer.alloc(8);
      rate.writeDoubleBE(16_000);
      const more = [
        u32be(72),
        rate,
        u32be(1),
        u32be(0x7f000000),
        u32be(16),
        u32be(0),
        u32be(0),
        u32be(1_024),
      ];
      const head = [entry.subarray(8, 16), Buffer.from([0, 2]), entry.subarray(18, 36)];
      return box('mp4a', ...head, ...more, entry.subarray(36));
    }),
  'm4a phone: QuickTime by ffmpeg, moov in front': (kit) =>
    kit.sound('mov', ...noise(2.5, 16_000), '-c:a', 'aac', '-movflags', '+faststart'),
  'm4a phone: 3GPP2 by ffmpeg': (kit) => kit.sound('3g2', ...noise(2.5, 16_000), '-c:a', 'aac', '-ac', '1'),
  'm4a phone: iPod by ffmpeg': (kit) => kit.sound('m4a', ...noise(2.5, 16_000), '-f', 'ipod', '-ac', '1'),
  'm4a phone: fragmented, to a pipe (Safari)': (kit) =>
    kit.sound(
      'mp4',
      ...noise(4, 16_000),
      ...['-c:a', 'aac', '-movflags', '+frag_keyframe+empty_moov+default_base_moof'],
    ),
  'm4a phone: fragmented, with an index (DASH)': (kit) =>
    kit.sound(
      'mp4',
      ...noise(4, 16_000),
      ...['-c:a', 'aac', '-movflags', '+dash+frag_keyframe+global_sidx', '-frag_duration', '1000000'],
    ),
  'm4a phone: fragmented QuickTime': (kit) =>
    kit.sound(
      'mov',
      ...noise(4, 16_000),
      ...['-c:a', 'aac', '-movflags', '+frag_keyframe+empty_moov', '-frag_duration', '1000000'],
    ),
  'm4a phone: fragmented, bytes behind': async (kit) =>
    Buffer.concat([
      await m4a(kit, '-movflags', '+frag_keyframe+empty_moov', '-frag_duration', '1000000'),
      text('end'),
    ]),
  'm4a phone: fragmented, brand of 3GPP': async (kit) => {
    const bytes = await m4a(kit, '-movflags', '+frag_keyframe+empty_moov', '-frag_duration', '1000000');
    return patch(bytes, 8, ...text('3gp6'));
  },
  'm4a phone: durations of 0 in the headers of movie and track': async (kit) => {
    const bytes = await late(kit);
    return patch(patch(bytes, find(bytes, 'mvhd') + 24, ...u32be(0)), find(bytes, 'tkhd') + 28, ...u32be(0));
  },
  'm4a phone: cover art in QuickTime': async (kit) => {
    const picture = await kit.path(await cover(kit));
    return kit.sound(
      'm4a',
      ...noise(2.5, 16_000),
      '-i',
      picture,
      ...['-map', '0', '-map', '1', '-c:v', 'copy', '-brand', 'qt  ', '-disposition:v', 'attached_pic'],
    );
  },
  'm4a phone: cut in the last sample': async (kit) => (await early(kit)).subarray(0, -40),
  'm4a phone: cut in the names behind the table': async (kit) => (await late(kit)).subarray(0, -60),
});

export const PHONES: readonly CorpusFile[] = [
  ...files(
    'audio',
    Object.fromEntries([
      ...BRANDS.map(([who, major, ...others]) => [
        `m4a brand of ${who}`,
        async (kit: Kit) => branded(await late(kit), major, ...others),
      ]),
      ...Object.entries(BEHIND).map(([name, bytes]) => [
        `m4a behind it ${name}`,
        async (kit: Kit) => Buffer.concat([await late(kit), bytes]),
      ]),
    ]),
  ),
  ...SHAPES,
];
