/** mp3 and ADTS as speech services, taggers, cutters and streams leave them: tags, counts, joints and ends that are off. */

import { patch } from '../../domain/media/make.js';
import { type CorpusFile, files, type Kit } from '../kit.js';
import { ape, cover, ID3V1, id3, noise, part } from './sounds.js';

const CBR = ['-ac', '1', '-b:a', '32k'];
const BARE = ['-write_xing', '0', '-id3v2_version', '0'];
const text = (value: string) => Buffer.from(value, 'latin1');

const mp3 = (kit: Kit, rate = 24_000, ...args: readonly string[]) =>
  kit.sound('mp3', ...noise(2.5, rate), ...CBR, ...args);
const bare = (kit: Kit, rate = 24_000, ...args: readonly string[]) => mp3(kit, rate, ...args, ...BARE);
const aac = (kit: Kit, rate = 16_000) => kit.sound('aac', ...noise(2.5, rate), '-ac', '1', '-b:a', '24k');

/** Bytes of a frame of `bare`: 24 ms of 32 kbit/s. */
const FRAME = 96;

/** Lyrics3 of the first and of the second version: the second says how long it is before its last nine letters. */
const lyrics3v1 = (length: number) => text(`LYRICSBEGIN${'la '.repeat(length / 3)}LYRICSEND`);
function lyrics3v2(length: number): Buffer {
  const body = `LYRICSBEGINLYR${String(length).padStart(5, '0')}${'la '.repeat(length / 3)}`;
  return text(`${body}${String(body.length).padStart(6, '0')}LYRICS200`);
}

/** The parts of an APE tag: header of 32 bytes, items, footer. */
const apeFooterAlone = () => ape().subarray(32);
function apeV1(): Buffer {
  const bytes = Buffer.from(apeFooterAlone());
  bytes.writeUInt32LE(1_000, bytes.length - 24);
  bytes.writeUInt32LE(0, bytes.length - 12);
  return bytes;
}
/** A picture of 100 KB in it, and a footer alone. */
function largeApe(): Buffer {
  const items = Buffer.alloc(100_000, 0x41);
  const footer = Buffer.from(ape().subarray(-32));
  footer.writeUInt32LE(items.length + 32, 12);
  footer.writeUInt32LE(0, 20);
  return Buffer.concat([items, footer]);
}

/** An ID3v2.4 tag that is appended has a footer, which is its header with other letters. */
function appendedId3(): Buffer {
  const tag = Buffer.from(id3(Buffer.alloc(200)));
  tag.writeUInt8(0x10, 5);
  return Buffer.concat([tag, text('3DI'), tag.subarray(3, 10)]);
}

/** An ID3v2 tag that says another size than it has. */
const misfit = (by: number) => {
  const tag = id3(Buffer.alloc(1_000));
  const size = 1_000 + by;
  return patch(tag, 6, (size >> 21) & 127, (size >> 14) & 127, (size >> 7) & 127, size & 127);
};

type Around = Readonly<Record<string, () => readonly [front: Buffer, behind: Buffer]>>;
const NONE = Buffer.alloc(0);

/** What taggers put around the frames. */
const TAGS: Around = {
  'ID3v2.2 (iTunes)': () => [id3(Buffer.alloc(64), 2), NONE],
  'ID3v2 three times': () => [
    Buffer.concat([id3(Buffer.alloc(20)), id3(Buffer.alloc(30), 3), id3(NONE)]),
    NONE,
  ],
  'ID3v2 of no bytes': () => [id3(NONE), NONE],
  'ID3v2 that is 10 bytes too short': () => [misfit(-10), NONE],
  'ID3v2 that is 10 bytes too long': () => [misfit(10), NONE],
  'ID3v2 with a size that is not in sevens of bits': () => [
    patch(id3(Buffer.alloc(200)), 6, 0, 0, 0, 200),
    NONE,
  ],
  'ID3v2 appended, with a footer': () => [NONE, appendedId3()],
  'ID3v2 behind (a tagger of streams)': () => [NONE, id3(Buffer.alloc(100))],
  'ID3v2 behind that is cut': () => [NONE, id3(Buffer.alloc(900)).subarray(0, 300)],
  'APEv2 in front': () => [ape(), NONE],
  'APEv2 with a footer alone (mp3gain)': () => [NONE, apeFooterAlone()],
  'APEv2 with a footer alone, and ID3v1': () => [NONE, Buffer.concat([apeFooterAlone(), ID3V1])],
  'APEv1 (foobar)': () => [NONE, apeV1()],
  'APEv1 and ID3v1': () => [NONE, Buffer.concat([apeV1(), ID3V1])],
  'APEv2 of 100 KB with a footer alone': () => [NONE, largeApe()],
  'APEv2 of 100 KB with a footer alone, and ID3v1': () => [NONE, Buffer.concat([largeApe(), ID3V1])],
  'Lyrics3v1 and ID3v1': () => [NONE, Buffer.concat([lyrics3v1(900), ID3V1])],
  'Lyrics3v2 of 9 KB and ID3v1': () => [NONE, Buffer.concat([lyrics3v2(9_000), ID3V1])],
  'Lyrics3v2 of 9 KB without ID3v1': () => [NONE, lyrics3v2(9_000)],
  'APEv2, Lyrics3v2 and ID3v1': () => [NONE, Buffer.concat([ape(), lyrics3v2(900), ID3V1])],
  'ID3v1 twice': () => [NONE, Buffer.concat([ID3V1, ID3V1])],
  'ID3v1 that is cut': () => [NONE, ID3V1.subarray(0, 90)],
  'ID3v1 enhanced (TAG+)': () => [NONE, Buffer.concat([text('TAG+'), Buffer.alloc(223, 0x20), ID3V1])],
  '1 KB of zeros in front': () => [Buffer.alloc(1_000), NONE],
  '20 KB of text in front (ICY headers)': () => [text('icy-name: radio\r\n'.repeat(1_200)), NONE],
  'a line feed behind': () => [NONE, text('\r\n')],
  '50 KB of 0x55 behind (an appliance)': () => [NONE, Buffer.alloc(50_000, 0x55)],
};

const around = (makers: Around, kind: string, sound: (kit: Kit) => Promise<Buffer>): readonly CorpusFile[] =>
  files(
    'audio',
    Object.fromEntries(
      Object.entries(makers).map(([name, make]) => [
        `${kind} ${name}`,
        async (kit: Kit) => {
          const [front, behind] = make();
          return Buffer.concat([front, await sound(kit), behind]);
        },
      ]),
    ),
  );

/** Where the number of frames stands in an Info header. */
const counted = (bytes: Buffer) => bytes.indexOf('Info') + 8;
const promising = (bytes: Buffer, by: number) => {
  const at = counted(bytes);
  const copy = Buffer.from(bytes);
  copy.writeUInt32BE(bytes.readUInt32BE(at) + by, at);
  return copy;
};

/** Info headers that do not fit, because the file was cut, joined, or written by another book. */
const COUNTS = files('audio', {
  'mp3 Info promises 1 frame more': async (kit) => promising(await mp3(kit), 1),
  'mp3 Info promises 3 frames more': async (kit) => promising(await mp3(kit), 3),
  'mp3 Info promises 20 frames more (cut between frames)': async (kit) => promising(await mp3(kit), 20),
  'mp3 Info promises 20 frames less': async (kit) => promising(await mp3(kit), -20),
  'mp3 Info promises no frame': async (kit) => patch(await mp3(kit), counted(await mp3(kit)), 0, 0, 0, 0),
  'mp3 Xing of VBR promises 3 frames more': async (kit) => {
    const bytes = Buffer.from(await kit.sound('mp3', ...noise(2.5, 24_000), '-ac', '1', '-q:a', '6'));
    const at = bytes.indexOf('Xing') + 8;
    bytes.writeUInt32BE(bytes.readUInt32BE(at) + 3, at);
    return bytes;
  },
});

/** Ends that a stream has which was closed at any time. */
const ENDS = files('audio', {
  'mp3 half a frame at the end': async (kit) => (await bare(kit)).subarray(0, -FRAME / 2),
  'mp3 a byte short at the end': async (kit) => (await bare(kit)).subarray(0, -1),
  'mp3 three bytes of a frame at the end': async (kit) =>
    Buffer.concat([await bare(kit), (await bare(kit)).subarray(0, 3)]),
  'mp3 a header at the end': async (kit) =>
    Buffer.concat([await bare(kit), (await bare(kit)).subarray(0, 4)]),
  'mp3 half a frame at the end, Info': async (kit) => (await mp3(kit)).subarray(0, -FRAME / 2),
  'mp3 half a frame at the end, and ID3v1': async (kit) =>
    Buffer.concat([(await bare(kit)).subarray(0, -FRAME / 2), ID3V1]),
  'mp3 half a frame in the middle (joined streams)': async (kit) =>
    Buffer.concat([(await bare(kit)).subarray(0, -FRAME / 2), await bare(kit)]),
  'mp3 cut at both ends': async (kit) => (await bare(kit)).subarray(FRAME * 3 + 17, -33),
  'mp3 48 kHz, cut in the last frame': async (kit) => (await bare(kit, 48_000)).subarray(0, -20),
});

const JOINED = files('audio', {
  'mp3 three files in one, with Info each (ElevenLabs, joined)': async (kit) =>
    Buffer.concat([await mp3(kit), await mp3(kit), await mp3(kit)]),
  'mp3 two bit rates in one': async (kit) =>
    Buffer.concat([await bare(kit), await bare(kit, 24_000, '-b:a', '64k')]),
  'mp3 two sample rates in one, with Info': async (kit) =>
    Buffer.concat([await mp3(kit), await mp3(kit, 44_100)]),
  'mp3 MPEG-2 and then MPEG-1': async (kit) => Buffer.concat([await bare(kit), await bare(kit, 48_000)]),
  'mp3 two files in one, ID3v1 between': async (kit) =>
    Buffer.concat([await bare(kit), ID3V1, await bare(kit)]),
  'mp3 two files in one, text between': async (kit) =>
    Buffer.concat([await bare(kit), text('--boundary\r\n\r\n'), await bare(kit)]),
  'mp3 a hole of 40 KB': async (kit) =>
    Buffer.concat([await bare(kit), Buffer.alloc(40_000, 0x2e), await bare(kit)]),
  'mp3 with the checksum bit (LAME -p)': async (kit) => {
    const bytes = Buffer.from(await bare(kit));
    for (let at = 0; at + FRAME <= bytes.length; at += FRAME)
      bytes.writeUInt8(bytes.readUInt8(at + 1) | 1, at + 1);
    return bytes;
  },
  'mp3 cover of 60 KB, cut between frames': async (kit) =>
    Buffer.concat([id3(await cover(kit, 300)), (await bare(kit)).subarray(0, FRAME * 100)]),
  'aac two sample rates in one': async (kit) => Buffer.concat([await aac(kit), await aac(kit, 24_000)]),
  'aac text between': async (kit) =>
    Buffer.concat([await aac(kit), text('--boundary\r\n\r\n'), await aac(kit)]),
  'aac a hole of 40 KB': async (kit) =>
    Buffer.concat([await aac(kit), Buffer.alloc(40_000, 0x2e), await aac(kit)]),
  'aac ID3v2 between': async (kit) => Buffer.concat([await aac(kit), id3(Buffer.alloc(90)), await aac(kit)]),
  'aac ID3v2 twice in front (HLS)': async (kit) =>
    Buffer.concat([id3(Buffer.alloc(53)), id3(Buffer.alloc(53)), await aac(kit)]),
  'aac ID3v1 behind': async (kit) => Buffer.concat([await aac(kit), ID3V1]),
  'aac zeros behind': async (kit) => Buffer.concat([await aac(kit), Buffer.alloc(700)]),
  'aac a line feed behind': async (kit) => Buffer.concat([await aac(kit), text('\r\n')]),
  'aac buffer fullness of 0': async (kit) => fullness(await aac(kit), 0),
  'aac buffer fullness of 1023': async (kit) => fullness(await aac(kit), 0x3ff),
  'aac cut at a half': async (kit) => part(await aac(kit), 0.9),
});

/** Another `adts_buffer_fullness`, eleven bits, in each header. */
function fullness(bytes: Buffer, value: number): Buffer {
  const copy = Buffer.from(bytes);
  for (let at = 0; at + 7 <= copy.length; at += (bytes.readUInt32BE(at + 2) >>> 5) & 0x1fff) {
    const word = copy.readUInt32BE(at + 3);
    copy.writeUInt32BE(((word & ~(0x7ff << 2)) | (value << 2)) >>> 0, at + 3);
  }
  return copy;
}

export const MP3_WRITERS: readonly CorpusFile[] = [
  ...around(TAGS, 'mp3', bare),
  ...COUNTS,
  ...ENDS,
  ...JOINED,
];
