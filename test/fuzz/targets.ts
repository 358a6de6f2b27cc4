/** Every parser. Another target is a few lines here: a name, seeds, and a function. */

import {
  inspectAudio,
  MAX_AUDIO_BYTES,
  MAX_AUDIO_SECONDS,
  MIN_AUDIO_SECONDS,
} from '../../src/domain/media/audio/audio.js';
import { endOfSound, skipTags } from '../../src/domain/media/audio/tags.js';
import { isTurned } from '../../src/domain/media/image/exif.js';
import { inspectImage, MAX_IMAGE_BYTES, MIN_IMAGE_SIDE } from '../../src/domain/media/image/image.js';
import { MediaError } from '../../src/domain/media/media.js';
import { adts, exif, fixture, mp3, png, pngChunk, wav, withApp1 } from '../domain/media/make.js';
import { BODY_TARGETS } from './bodies.js';
import { boxes, frames, jpegSegments, mendPng, pngChunks, riffChunks } from './pieces.js';
import type { Target } from './target.js';

const isRefusal = (error: unknown) => error instanceof MediaError;
const image = { maxBytes: MAX_IMAGE_BYTES, run: runImage, isRefusal } as const;
const audio = { maxBytes: MAX_AUDIO_BYTES, run: runAudio, isRefusal } as const;
const fixtures = (...names: readonly string[]) => names.map(fixture);
const text = (value: string) => Buffer.from(value, 'latin1');

const APP1 = Buffer.concat([text('Exif\0\0'), exif(6)]);
const ID3 = Buffer.concat([text('ID3\x04\0\0\0\0\0\x20'), Buffer.alloc(32)]);
/** Its flags say that it is a header. */
const APE = Buffer.concat([text('APETAGEX\xd0\x07\0\0\x28\0\0\0\x01\0\0\0\0\0\0\xa0'), Buffer.alloc(48, 1)]);
const APE_FOOTER = Buffer.concat([text('items...APETAGEX\xd0\x07\0\0\x28\0\0\0'), Buffer.alloc(16)]);
const LYRICS = text('LYRICSBEGINla la la000019LYRICS200');
const ID3V1 = Buffer.concat([text('TAG'), Buffer.alloc(125)]);

const JPEGS = [
  ...fixtures('baseline.jpg', 'progressive.jpg', 'restart.jpg', 'cmyk.jpg'),
  withApp1(fixture('gray.jpg'), APP1),
];
const PNGS = [
  ...fixtures('palette.png', 'interlaced.png'),
  png(300, 300, { before: Buffer.concat([pngChunk('eXIf', exif(8, 'II')), pngChunk('tEXt', text('a\0b'))]) }),
];
const MP3S = [
  ...fixtures('cbr.mp3', 'vbr-bare.mp3', 'mpeg25.mp3', 'tagged.mp3'),
  Buffer.concat([ID3, mp3(30), APE, ID3V1, mp3(2)]),
  Buffer.concat([mp3(30), APE_FOOTER, LYRICS, ID3V1]),
  Buffer.concat([mp3(30), text('LYRICSBEGINla la LYRICSEND'), ID3V1]),
];
const WAVS = [
  wav({ dataClaim: 0, riffClaim: 0, byteRate: 1, blockBytes: 9 }),
  Buffer.concat([ID3, wav({ dataClaim: 0xffffffff })]),
  Buffer.concat([text('RF64\0\0\0\0WAVEds64\x10\0\0\0'), Buffer.alloc(16, 0), wav().subarray(12)]),
  wav({ samples: 16_000 }),
  wav({ samples: 4_000, rate: 2_000, extensible: true, odd: true, bits: 24, channels: 2 }),
  fixture('adpcm.wav'),
];
const M4AS = fixtures(
  'late-moov.m4a',
  'early-moov.m4a',
  'fragmented.m4a',
  'film.mp4',
  'alac.m4a',
  'film.mov',
);
const ADTS = [fixture('lc.aac'), Buffer.concat([ID3, adts(20)])];
const OTHERS = fixtures('opus.ogg', 'flac.flac', 'layer2.mp2', 'gif.gif', 'webp.webp', 'film.mov');

export const TARGETS: readonly Target[] = [
  ...BODY_TARGETS,
  { ...image, name: 'jpeg', seeds: JPEGS, split: jpegSegments },
  { ...image, name: 'png', seeds: PNGS, split: pngChunks, mend: mendPng },
  { ...audio, name: 'mp3', seeds: MP3S, split: frames },
  { ...audio, name: 'adts', seeds: ADTS, split: frames },
  { ...audio, name: 'wav', seeds: WAVS, split: riffChunks },
  { ...audio, name: 'm4a', seeds: M4AS, split: boxes },
  {
    name: 'exif',
    seeds: [exif(6), exif(1, 'II'), Buffer.concat([exif(1), exif(6, 'II')])],
    maxBytes: 65_536,
    run: isTurned,
    isRefusal: () => false,
  },
  {
    name: 'tags',
    seeds: [
      ID3,
      APE,
      APE_FOOTER,
      LYRICS,
      ID3V1,
      Buffer.concat([Buffer.alloc(9), ID3, APE, ID3V1, text('x')]),
    ],
    maxBytes: MAX_AUDIO_BYTES,
    run: runTags,
    isRefusal,
  },
  {
    name: 'sniff',
    seeds: [
      ...OTHERS,
      text('<!doctype html><title>x'),
      text('<?xml?><svg/>'),
      text('{"a":1}'),
      ...ADTS,
      ...JPEGS,
    ],
    maxBytes: MAX_IMAGE_BYTES,
    run: runBoth,
    isRefusal,
  },
];

function runTags(bytes: Buffer): void {
  within(endOfSound(bytes), 0, bytes.length);
  within(skipTags(bytes, 0), 0, bytes.length);
}

/** What is taken must keep the contract's limits. */
function runImage(bytes: Buffer): void {
  const { width, height } = inspectImage(bytes);
  within(width, MIN_IMAGE_SIDE, 65_535);
  within(height, MIN_IMAGE_SIDE, 65_535);
  within((width ?? 0) / (height ?? 0), 0.4, 2.5);
}

async function runAudio(bytes: Buffer): Promise<void> {
  within((await inspectAudio(bytes)).durationSeconds, MIN_AUDIO_SECONDS, MAX_AUDIO_SECONDS);
}

async function runBoth(bytes: Buffer): Promise<void> {
  try {
    runImage(bytes);
  } catch (error) {
    if (!isRefusal(error)) throw error;
  }
  await runAudio(bytes);
}

function within(value: number | null, least: number, most: number): void {
  if (value === null || !(value >= least && value <= most)) {
    throw new RangeError(`${value} is not from ${least} to ${most}`);
  }
}
