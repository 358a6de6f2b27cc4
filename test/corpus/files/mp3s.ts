/** mp3: versions, rates, bit rates, tags, limits, damage. */

import { patch } from '../../domain/media/make.js';
import { files, type Kit } from '../kit.js';
import { ape, cover, ID3V1, id3, id3Padded, noise, part, samples, tone } from './sounds.js';

const UNTAGGED = ['-id3v2_version', '0'];
const BARE = ['-write_xing', '0', ...UNTAGGED];
const CBR = ['-ac', '1', '-b:a', '32k'];
const VBR = ['-ac', '1', '-q:a', '6'];

const mp3 = (kit: Kit, seconds: number, rate: number, ...args: readonly string[]) =>
  kit.sound('mp3', ...noise(seconds, rate), ...args);

const cbr = (kit: Kit) => mp3(kit, 2.5, 22_050, ...CBR);
const bare = (kit: Kit, rate = 24_000) => mp3(kit, 2.5, rate, ...CBR, ...BARE);

/** Where the LAME part of the header says how many samples were added: 12 bits before, 12 bits behind. */
const added = (bytes: Buffer) => bytes.indexOf('Info') + 120 + 21;

/** Silence and then noise: the first frames are the smallest there are, the rest are not. */
const quietFirst = (kit: Kit, ...args: readonly string[]) =>
  mp3(kit, 3, 44_100, '-af', "volume=0:enable='lt(t,1.5)'", ...VBR, ...args);

/** The first frames of a longer stream without a summary: 24 ms in 96 bytes each (48 kHz, 32 kbit/s). */
async function frames(kit: Kit, count: number): Promise<Buffer> {
  const seconds = count > 1_000 ? 301 : 3;
  const bytes = await kit.sound('mp3', ...tone(seconds, 48_000), ...CBR, ...BARE);
  return bytes.subarray(0, count * 96);
}

const RATES = [8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000];

const FORMS = files('audio', {
  ...Object.fromEntries(
    RATES.flatMap((rate, i) => [
      [
        `mp3 ${rate} Hz, CBR, ${i % 2 === 0 ? 'mono' : 'stereo'}`,
        (kit: Kit) => mp3(kit, 2.3, rate, '-ac', `${1 + (i % 2)}`, '-b:a', '64k'),
      ],
      [
        `mp3 ${rate} Hz, VBR, ${i % 2 === 0 ? 'stereo' : 'mono'}, no Xing`,
        (kit: Kit) => mp3(kit, 2.3, rate, '-ac', `${2 - (i % 2)}`, '-q:a', '5', ...BARE),
      ],
    ]),
  ),
  'mp3 VBR, Xing': (kit) => quietFirst(kit),
  'mp3 VBR, no Xing, silence first': (kit) => quietFirst(kit, ...BARE),
  'mp3 ABR': (kit) => mp3(kit, 2.5, 44_100, '-ac', '1', '-b:a', '64k', '-abr', '1'),
  'mp3 joint stereo': (kit) => mp3(kit, 2.5, 44_100, '-ac', '2', '-b:a', '96k', '-joint_stereo', '1'),
  'mp3 by another encoder (Shine)': (kit) =>
    mp3(kit, 2.5, 44_100, '-ac', '1', '-c:a', 'libshine', '-b:a', '64k', ...BARE),
  'mp3 Info header without the LAME part': async (kit) => {
    const bytes = await cbr(kit);
    return patch(bytes, added(bytes) - 21, ...Array.from({ length: 36 }, () => 0));
  },
  'mp3 LAME header: nothing added': async (kit) => patch(await cbr(kit), added(await cbr(kit)), 0, 0, 0),
  'mp3 LAME header: nothing added behind': async (kit) =>
    patch(await cbr(kit), added(await cbr(kit)), 0x24, 0, 0),
  'mp3 LAME header: 4095 samples added on both sides': async (kit) =>
    patch(await cbr(kit), added(await cbr(kit)), 0xff, 0xff, 0xff),
  'mp3 first byte gone': async (kit) => (await bare(kit)).subarray(1),
  'mp3 begins in a frame': async (kit) => (await bare(kit)).subarray(100),
});

const TAGS = files('audio', {
  'mp3 ID3v2.3 with cover art': async (kit) =>
    kit.sound(
      'mp3',
      ...noise(2.5, 22_050),
      ...['-i', await kit.path(await cover(kit)), '-map', '0', '-map', '1', ...CBR, '-c:v', 'copy'],
      ...['-id3v2_version', '3', '-metadata', 'title=T', '-disposition:v', 'attached_pic'],
    ),
  'mp3 ID3v2.4 with cover art of 200 KB, no Xing': async (kit) =>
    kit.sound(
      'mp3',
      ...noise(2.5, 24_000),
      ...['-i', await kit.path(await cover(kit, 600)), '-map', '0', '-map', '1', ...CBR, '-c:v', 'copy'],
      ...['-write_xing', '0', '-id3v2_version', '4', '-disposition:v', 'attached_pic'],
    ),
  'mp3 ID3v1': async (kit) => Buffer.concat([await bare(kit), ID3V1]),
  'mp3 ID3v2 twice and padding': async (kit) =>
    Buffer.concat([id3(Buffer.alloc(300)), id3(Buffer.alloc(20), 3), await bare(kit), ID3V1]),
  'mp3 ID3v2 with frame headers in it': async (kit) =>
    Buffer.concat([id3(part(await bare(kit, 44_100), 0.5)), await bare(kit)]),
  'mp3 APE tag behind': async (kit) => Buffer.concat([await bare(kit), ape()]),
  'mp3 APE tag and ID3v1 behind': async (kit) => Buffer.concat([await cbr(kit), ape(), ID3V1]),
  'mp3 zeros behind': async (kit) => Buffer.concat([await bare(kit), Buffer.alloc(2_000)]),
  'mp3 Lyrics3 and ID3v1 behind': async (kit) =>
    Buffer.concat([
      await bare(kit),
      Buffer.from(`LYRICSBEGININD0000200LYR00030${'words '.repeat(5)}000054LYRICS200`, 'latin1'),
      ID3V1,
    ]),
});

const JOINED = files('audio', {
  'mp3 two files in one, no Xing': async (kit) => Buffer.concat([await bare(kit), await bare(kit)]),
  'mp3 two files in one, both with Xing': async (kit) =>
    Buffer.concat([await mp3(kit, 2.5, 24_000, ...CBR), await mp3(kit, 2.5, 24_000, ...VBR, ...UNTAGGED)]),
  'mp3 two files in one, the first with Xing': async (kit) =>
    Buffer.concat([await mp3(kit, 2.5, 24_000, ...CBR), await bare(kit)]),
  'mp3 two files in one, the second with Xing': async (kit) =>
    Buffer.concat([await bare(kit), await mp3(kit, 2.5, 24_000, ...CBR, ...UNTAGGED)]),
  'mp3 two files in one, both with tags': async (kit) =>
    Buffer.concat([
      id3(Buffer.alloc(50)),
      await bare(kit),
      ID3V1,
      id3(Buffer.alloc(50)),
      await bare(kit),
      ID3V1,
    ]),
  'mp3 mono and then stereo': async (kit) =>
    Buffer.concat([await bare(kit), await mp3(kit, 2.5, 24_000, '-ac', '2', '-b:a', '64k', ...BARE)]),
  'mp3 two sample rates': async (kit) => Buffer.concat([await bare(kit), await bare(kit, 32_000)]),
});

const BORDERS = files('audio', {
  'mp3 1.9 s': (kit) => mp3(kit, 1.9, 24_000, ...CBR),
  'mp3 2 s': (kit) => kit.sound('mp3', ...samples(88_200, 44_100), ...CBR),
  'mp3 a sample short of 2 s': (kit) => kit.sound('mp3', ...samples(88_199, 44_100), ...CBR),
  'mp3 83 frames of 24 ms, 1.992 s': (kit) => frames(kit, 83),
  'mp3 84 frames of 24 ms, 2.016 s': (kit) => frames(kit, 84),
  'mp3 12,500 frames of 24 ms, 300 s': (kit) => frames(kit, 12_500),
  'mp3 12,501 frames of 24 ms, 300.024 s': (kit) => frames(kit, 12_501),
  'mp3 300 s': (kit) => kit.sound('mp3', ...samples(2_400_000, 8_000), '-b:a', '16k'),
  'mp3 300 s and a sample': (kit) => kit.sound('mp3', ...samples(2_400_001, 8_000), '-b:a', '16k'),
  'mp3 300.1 s': (kit) => mp3(kit, 300.1, 8_000, '-b:a', '16k'),
  'mp3 5,000,000 bytes': async (kit) => id3Padded(await bare(kit), 5_000_000),
  'mp3 5,000,001 bytes': async (kit) => id3Padded(await bare(kit), 5_000_001),
});

const BROKEN = files('audio', {
  'mp3 cut at a half, Xing': async (kit) => part(await mp3(kit, 6, 22_050, ...CBR), 0.5),
  'mp3 cut in the last frame, no Xing': async (kit) => (await bare(kit)).subarray(0, -30),
  'mp3 cut inside its tag': async (kit) => id3Padded(await bare(kit), 60_000).subarray(0, 30_000),
  'mp3 only a tag': () => id3(Buffer.alloc(5_000)),
  'mp3 tag claims 200 MB': async (kit) =>
    patch(id3Padded(await bare(kit), 60_000), 6, 0x7f, 0x7f, 0x7f, 0x7f),
  'mp3 a hole of 10 KB': async (kit) =>
    Buffer.concat([await bare(kit), Buffer.alloc(10_000, 0x2e), await bare(kit)]),
  'mp3 a bit rate that changes nothing but noise': async (kit) => {
    const bytes = Buffer.from(await bare(kit));
    for (let at = 200; at < bytes.length; at += 977) bytes[at] = 0x55;
    return bytes;
  },
  'mp3 Layer I': () => {
    const frame = Buffer.alloc(24 * 4);
    frame.set([0xff, 0xff, 0x28, 0xc4]);
    return Buffer.concat(Array.from({ length: 400 }, () => frame));
  },
  'mp3 Layer II': (kit) => kit.sound('mp2', ...noise(2.5, 16_000), '-ac', '1', '-b:a', '32k'),
  'mp3 free bit rate': () => {
    const frame = Buffer.alloc(200);
    frame.set([0xff, 0xfb, 0x04, 0xc4]);
    return Buffer.concat(Array.from({ length: 200 }, () => frame));
  },
});

export const MP3S = [...FORMS, ...TAGS, ...JOINED, ...BORDERS, ...BROKEN];
