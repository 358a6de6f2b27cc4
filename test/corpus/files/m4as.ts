/** M4A: where `moov` stands, edit lists, covers, chapters, codecs, limits, damage. */

import { patch, u32be } from '../../domain/media/make.js';
import { files, type Kit } from '../kit.js';
import { cover, noise, part, samples } from './sounds.js';

const m4a = (kit: Kit, seconds: number, ...args: readonly string[]) =>
  kit.sound('m4a', ...noise(seconds, 16_000), '-ac', '1', '-b:a', '24k', ...args);

const late = (kit: Kit) => m4a(kit, 2.5);
const early = (kit: Kit) => m4a(kit, 2.5, '-movflags', '+faststart');

const CHAPTERS = `;FFMETADATA1
title=Book
[CHAPTER]
TIMEBASE=1/1000
START=0
END=1000
title=One
[CHAPTER]
TIMEBASE=1/1000
START=1000
END=2500
title=Two
`;

/** Where the body of the first box of a type begins. */
const body = (bytes: Buffer, type: string) => bytes.indexOf(type, 0, 'latin1') + 4;

/** A box of a file replaced with one that tells its length otherwise; the boxes behind it must not point into it. */
function lastBox(bytes: Buffer, type: string, size: Buffer): Buffer {
  const at = body(bytes, type) - 8;
  return Buffer.concat([bytes.subarray(0, at), size, bytes.subarray(at + 4)]);
}

const FREE = (size: number) => Buffer.concat([u32be(size), Buffer.from('free'), Buffer.alloc(size - 8)]);

/** The AudioSpecificConfig that ffmpeg wrote: LC, then a word that there is no SBR. */
const config = (bytes: Buffer) => bytes.indexOf(Buffer.from([0x05, 0x80, 0x80, 0x80, 0x05])) + 5;

const FORMS = files('audio', {
  'm4a moov at the end': (kit) => late(kit),
  'm4a moov at the front': (kit) => early(kit),
  'm4a stereo, 44.1 kHz': (kit) => kit.sound('m4a', ...noise(2.5, 44_100), '-ac', '2', '-b:a', '64k'),
  'm4a 5.1, 48 kHz': (kit) => kit.sound('m4a', ...noise(2.5, 48_000), '-ac', '6', '-b:a', '96k'),
  'm4a 8 kHz': (kit) => kit.sound('m4a', ...noise(2.5, 8_000)),
  'm4a as mp4': (kit) => kit.sound('mp4', ...noise(2.5, 16_000)),
  'm4a as mp4 for MPEG-DASH': (kit) => kit.sound('mp4', ...noise(2.5, 16_000), '-brand', 'dash'),
  'm4a audiobook (M4B)': (kit) => m4a(kit, 2.5, '-brand', 'M4B '),
  'm4a cover art': async (kit) =>
    kit.sound(
      'm4a',
      ...noise(2.5, 16_000),
      ...['-i', await kit.path(await cover(kit)), '-map', '0', '-map', '1', '-c:v', 'copy'],
      ...['-disposition:v', 'attached_pic', '-metadata', 'title=T'],
    ),
  'm4a chapters': async (kit) =>
    kit.sound(
      'm4a',
      ...noise(2.5, 16_000),
      ...[
        '-i',
        await kit.path(Buffer.from(CHAPTERS)),
        '-map',
        '0',
        '-map_metadata',
        '1',
        '-map_chapters',
        '1',
      ],
    ),
  'm4a no edit list': (kit) => m4a(kit, 2.5, '-use_editlist', '0'),
  'm4a edit list that begins later': async (kit) => {
    const bytes = await m4a(kit, 4);
    const at = body(bytes, 'elst') + 8;
    return patch(bytes, at, ...u32be(3_000), ...u32be(17_024));
  },
  'm4a edit list that ends sooner': async (kit) => {
    const bytes = await m4a(kit, 4);
    return patch(bytes, body(bytes, 'elst') + 8, ...u32be(2_200));
  },
  'm4a begins with a pause (empty edit)': (kit) =>
    kit.again(late(kit), 'm4a', '-c', 'copy', '-output_ts_offset', '1.5'),
  'm4a a free box of 100 KB': async (kit) => Buffer.concat([await late(kit), FREE(100_000)]),
  'm4a mdat to the end of the file': async (kit) => lastBox(await early(kit), 'mdat', u32be(0)),
  'm4a LTP': (kit) => m4a(kit, 2.5, '-profile:a', 'aac_ltp', '-strict', '-2'),
  'm4a HE-AAC said in its description': async (kit) => {
    const bytes = await late(kit);
    // AOT 5, 16 kHz, mono, extension rate 32 kHz, AOT 2.
    return patch(bytes, config(bytes), 0x2c, 0x0a, 0x88, 0, 0);
  },
  'm4a re-muxed by copying from the middle': (kit) =>
    kit.again(m4a(kit, 6), 'm4a', '-ss', '1.3', '-t', '2.9', '-c', 'copy'),
});

const FRAGMENTS = files('audio', {
  'm4a fragmented': (kit) =>
    m4a(kit, 6, '-movflags', '+frag_keyframe+empty_moov', '-frag_duration', '1000000'),
  'm4a fragmented, default-base-moof': (kit) =>
    m4a(kit, 6, '-movflags', '+frag_keyframe+empty_moov+default_base_moof', '-frag_duration', '500000'),
  'm4a fragmented, delayed moov with an edit list': (kit) =>
    m4a(kit, 6, '-movflags', '+frag_keyframe+delay_moov', '-frag_duration', '1000000'),
  'm4a fragmented, the first part in moov': (kit) =>
    m4a(kit, 6, '-movflags', '+frag_keyframe', '-frag_duration', '1000000'),
  'm4a for streaming (CMAF)': (kit) => m4a(kit, 6, '-movflags', '+cmaf', '-frag_duration', '1000000'),
  'm4a fragmented, cut in the last fragment': async (kit) =>
    (
      await m4a(
        kit,
        6,
        '-movflags',
        '+empty_moov+default_base_moof+skip_trailer',
        '-frag_duration',
        '1000000',
      )
    ).subarray(0, -500),
  'm4a fragmented, only the beginning': async (kit) => {
    const bytes = await m4a(kit, 6, '-movflags', '+frag_keyframe+empty_moov', '-frag_duration', '1000000');
    return bytes.subarray(0, body(bytes, 'moof') - 8);
  },
});

const exactly = (kit: Kit, count: number) =>
  kit.sound('m4a', ...samples(count, 8_000), '-ac', '1', '-b:a', '16k');

const BORDERS = files('audio', {
  'm4a 1.9 s': (kit) => exactly(kit, 15_200),
  'm4a 1.999 s': (kit) => exactly(kit, 15_992),
  'm4a 2 s': (kit) => exactly(kit, 16_000),
  'm4a 300 s': (kit) => exactly(kit, 2_400_000),
  'm4a 300.001 s': (kit) => exactly(kit, 2_400_008),
  'm4a 300.1 s': (kit) => exactly(kit, 2_400_800),
  'm4a 5,000,000 bytes': async (kit) => filled(await late(kit), 5_000_000),
  'm4a 5,000,001 bytes': async (kit) => filled(await late(kit), 5_000_001),
});

const filled = (bytes: Buffer, size: number) => Buffer.concat([bytes, FREE(size - bytes.length)]);

const BROKEN = files('audio', {
  'm4a cut before moov': async (kit) => part(await late(kit), 0.7),
  'm4a cut in moov': async (kit) => (await late(kit)).subarray(0, -100),
  'm4a cut in mdat, moov at the front': async (kit) => part(await early(kit), 0.7),
  'm4a cut in an mdat that goes on to the end': async (kit) =>
    part(lastBox(await early(kit), 'mdat', u32be(0)), 0.7),
  'm4a cut by one byte': async (kit) => (await early(kit)).subarray(0, -1),
  'm4a only "ftyp"': async (kit) => (await late(kit)).subarray(0, 28),
  'm4a the header claims ten times as long': async (kit) => {
    const bytes = await late(kit);
    return patch(bytes, body(bytes, 'mdhd') + 12, ...u32be(1_600));
  },
  'm4a more samples than sizes': async (kit) => {
    const bytes = await late(kit);
    return patch(bytes, body(bytes, 'stts') + 8, ...u32be(1_000_000));
  },
  'm4a a sample table that claims 4 billion': async (kit) => {
    const bytes = await late(kit);
    return patch(bytes, body(bytes, 'stsz') + 8, ...u32be(0xffffffff));
  },
  'm4a samples of no bytes': async (kit) => {
    const bytes = await late(kit);
    const at = body(bytes, 'stsz') + 12;
    return patch(bytes, at, ...Array.from({ length: 40 * 4 }, () => 0));
  },
  'm4a fragment that claims 4 billion samples': async (kit) => {
    const bytes = await m4a(kit, 6, '-movflags', '+frag_keyframe+empty_moov', '-frag_duration', '1000000');
    return patch(bytes, body(bytes, 'trun') + 4, ...u32be(0xffffffff));
  },
  'm4a fragments without their defaults (mvex)': async (kit) => {
    const bytes = await m4a(kit, 6, '-movflags', '+frag_keyframe+empty_moov', '-frag_duration', '1000000');
    return patch(bytes, body(bytes, 'mvex') - 4, ...Buffer.from('free'));
  },
  'm4a ALAC': (kit) => kit.sound('m4a', ...noise(2.5, 16_000), '-c:a', 'alac'),
  'm4a AC-3': (kit) => kit.sound('m4a', ...noise(2.5, 32_000), '-c:a', 'ac3', '-b:a', '64k'),
  'm4a mp3 inside': (kit) => kit.sound('mp4', ...noise(2.5, 22_050), '-c:a', 'libmp3lame'),
  'm4a Opus inside': (kit) => kit.sound('mp4', ...noise(2.5, 48_000), '-c:a', 'libopus', '-b:a', '24k'),
  'm4a FLAC inside': (kit) => kit.sound('mp4', ...noise(2.5, 16_000), '-c:a', 'flac', '-strict', '-2'),
  'm4a a film': (kit) =>
    kit.sound(
      'mp4',
      ...noise(2.5, 16_000),
      ...['-f', 'lavfi', '-i', 'testsrc=s=160x120:d=2.5:r=5', '-c:v', 'mpeg4'],
    ),
  'm4a a film without sound': (kit) =>
    kit.sound('mp4', '-f', 'lavfi', '-i', 'testsrc=s=160x120:d=2.5:r=5', '-c:v', 'mpeg4'),
  'm4a two tracks of sound': (kit) =>
    kit.sound('m4a', ...noise(2.5, 16_000), ...noise(2.5, 8_000), '-map', '0', '-map', '1'),
  'm4a QuickTime': (kit) => kit.sound('mov', ...noise(2.5, 16_000), '-c:a', 'aac'),
  'm4a 3GPP': (kit) => kit.sound('3gp', ...noise(2.5, 16_000), '-c:a', 'aac', '-ac', '1'),
});

export const M4AS = [...FORMS, ...FRAGMENTS, ...BORDERS, ...BROKEN];
