/** WAV: codecs, chunks, limits, and headers that lie. */

import { patch, u16le, u32le } from '../../domain/media/make.js';
import { files, type Kit } from '../kit.js';
import { ID3V1, noise, part, samples, wave } from './sounds.js';

const plain = (kit: Kit, ...args: readonly string[]) => wave(kit, 2.5, '-ac', '1', ...args);
const codec = (name: string) => (kit: Kit) => plain(kit, '-c:a', name);

export const text = (value: string) => Buffer.from(value, 'latin1');

export function chunk(id: string, data: Buffer): Buffer {
  return Buffer.concat([text(id), u32le(data.length), data, Buffer.alloc(data.length % 2)]);
}

/** A RIFF form around chunks, with an honest length. */
function riff(...chunks: readonly Buffer[]): Buffer {
  const body = Buffer.concat([text('WAVE'), ...chunks]);
  return Buffer.concat([text('RIFF'), u32le(body.length), body]);
}

/** The "fmt " chunk of 16 bits, mono, 8 kHz. */
const FMT = chunk('fmt ', Buffer.concat([u16le(1, 1), u32le(8_000), u32le(16_000), u16le(2, 16)]));
const DATA = chunk('data', Buffer.alloc(40_000, 1));

/** 20 valid bits in 24 (`wValidBitsPerSample`), in WAVE_FORMAT_EXTENSIBLE. */
const PARTLY_VALID = chunk(
  'fmt ',
  Buffer.concat([
    ...[u16le(0xfffe, 1), u32le(8_000), u32le(24_000), u16le(3, 24, 22, 20), u32le(4), u16le(1)],
    Buffer.from('000000001000800000aa00389b71', 'hex'),
  ]),
);

const FORMS = files('audio', {
  ...Object.fromEntries(
    ['u8', 's16le', 's24le', 's32le', 'f32le', 'f64le', 'alaw', 'mulaw'].map((name) => [
      `wav ${name}`,
      codec(`pcm_${name}`),
    ]),
  ),
  'wav stereo, 44.1 kHz': (kit) => kit.sound('wav', ...noise(2.5, 44_100), '-ac', '2'),
  'wav 5.1, extensible': (kit) => plain(kit, '-ac', '6'),
  'wav 24 bits, stereo, 96 kHz': (kit) =>
    kit.sound('wav', ...noise(2.5, 96_000), '-ac', '2', '-c:a', 'pcm_s24le'),
  'wav extensible, 20 bits valid of 24': () => riff(PARTLY_VALID, chunk('data', Buffer.alloc(60_000))),
  'wav LIST chunk in front': (kit) => plain(kit, '-metadata', 'title=Titles', '-metadata', 'artist=Someone'),
  'wav LIST chunk behind': () => riff(FMT, DATA, chunk('LIST', text('INFOINAM\x02\0\0\0a\0'))),
  'wav chunks of odd sizes': () =>
    riff(chunk('junk', Buffer.alloc(3)), FMT, chunk('cue ', Buffer.alloc(5)), DATA),
  'wav broadcast (bext)': (kit) => plain(kit, '-write_bext', '1', '-metadata', 'description=words'),
  'wav ID3 chunk behind': () => riff(FMT, DATA, chunk('id3 ', Buffer.alloc(101))),
  'wav ID3v1 behind the form': () => Buffer.concat([riff(FMT, DATA), ID3V1]),
  'wav data of an odd size': () =>
    riff(
      chunk('fmt ', Buffer.concat([u16le(1, 1), u32le(8_000), u32le(8_000), u16le(1, 8)])),
      chunk('data', Buffer.alloc(20_001, 0x81)),
    ),
  'wav data of half a sample more': () => riff(FMT, chunk('data', Buffer.alloc(40_001, 1))),
  'wav data claims less than there is': () => {
    const bytes = riff(FMT, DATA);
    return patch(bytes, 40, ...u32le(32_000));
  },
});

/** Samples of 8 bits at 8 kHz, exactly. */
const exactly = (kit: Kit, count: number) => kit.sound('wav', ...samples(count, 8_000), '-c:a', 'pcm_u8');

const BORDERS = files('audio', {
  'wav 1.9 s': (kit) => exactly(kit, 15_200),
  'wav a sample short of 2 s': (kit) => exactly(kit, 15_999),
  'wav 2 s': (kit) => exactly(kit, 16_000),
  'wav 44.1 kHz, a sample short of 2 s': (kit) => kit.sound('wav', ...samples(88_199, 44_100)),
  'wav 300 s': (kit) => exactly(kit, 2_400_000),
  'wav 300 s and a sample': (kit) => exactly(kit, 2_400_001),
  'wav 300.1 s': (kit) => exactly(kit, 2_400_800),
  'wav 5,000,000 bytes': () =>
    riff(FMT, chunk('data', Buffer.alloc(4_799_000, 1)), filler(5_000_000, 4_799_000)),
  'wav 5,000,001 bytes': () =>
    Buffer.concat([
      riff(FMT, chunk('data', Buffer.alloc(4_799_000, 1)), filler(5_000_000, 4_799_000)),
      Buffer.alloc(1),
    ]),
});

/** What is missing to a size, behind the data. */
const filler = (size: number, data: number) =>
  chunk('junk', Buffer.alloc(size - data - 12 - FMT.length - 16));

const BROKEN = files('audio', {
  'wav cut at a half': async (kit) => part(await plain(kit), 0.5),
  'wav cut by one sample': async (kit) => (await plain(kit)).subarray(0, -2),
  'wav cut in the header': async (kit) => (await plain(kit)).subarray(0, 30),
  'wav data claims 1 GB': () => patch(riff(FMT, DATA), 40, ...u32le(1_000_000_000)),
  'wav form claims 1 GB': () => patch(riff(FMT, DATA), 4, ...u32le(1_000_000_000)),
  'wav form claims less than its data': () => patch(riff(FMT, DATA), 4, ...u32le(1_000)),
  'wav lengths of 0xffffffff, as to a pipe': () =>
    patch(patch(riff(FMT, DATA), 40, 255, 255, 255, 255), 4, 255, 255, 255, 255),
  'wav lengths of 0, never filled in': () => patch(patch(riff(FMT, DATA), 40, 0, 0, 0, 0), 4, 0, 0, 0, 0),
  'wav byte rate of half': () => patch(riff(FMT, DATA), 28, ...u32le(8_000)),
  'wav sample rate of 0': () => patch(riff(FMT, DATA), 24, ...u32le(0)),
  'wav no channels': () => patch(riff(FMT, DATA), 22, 0, 0),
  'wav blocks of 0 bytes': () => patch(riff(FMT, DATA), 32, 0, 0),
  'wav no "fmt " chunk': () => riff(DATA),
  'wav no "data" chunk': () => riff(FMT),
  'wav "data" before "fmt "': () => riff(DATA, FMT),
  'wav big-endian (RIFX)': () => patch(riff(FMT, DATA), 0, ...text('RIFX')),
  'wav RF64': (kit) => plain(kit, '-rf64', 'always'),
  'wav Wave64': (kit) => kit.sound('w64', ...noise(2.5, 8_000)),
  'wav MS ADPCM': (kit) => plain(kit, '-c:a', 'adpcm_ms'),
  'wav IMA ADPCM': (kit) => plain(kit, '-c:a', 'adpcm_ima_wav'),
  'wav GSM': (kit) => plain(kit, '-c:a', 'libgsm_ms'),
  'wav mp3 inside': (kit) => kit.sound('wav', ...noise(2.5, 22_050), '-c:a', 'libmp3lame'),
  'wav AAC inside': (kit) => kit.sound('wav', ...noise(2.5, 22_050), '-c:a', 'aac'),
});

export const WAVS = [...FORMS, ...BORDERS, ...BROKEN];
