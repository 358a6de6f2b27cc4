/** WAV as recorders, speech services and pipes write it: lengths that were never filled in, and fields that are off. */

import { u16le, u32le } from '../../domain/media/make.js';
import { type CorpusFile, files } from '../kit.js';
import { ID3V1, id3 } from './sounds.js';
import { chunk, text } from './wavs.js';

/** What a writer puts where; what is not said is as it should be. */
interface Written {
  readonly form?: 'RIFF' | 'RF64' | 'BW64';
  /** The lengths that RIFF and `data` claim. */
  readonly riff?: number;
  readonly data?: number;
  readonly codec?: number;
  readonly channels?: number;
  readonly bits?: number;
  readonly byteRate?: number;
  readonly blockBytes?: number;
  /** What follows the sixteen bytes of `fmt `. */
  readonly extension?: Buffer;
  /** Chunks in front of `data` and behind it, and what stands outside of the form. */
  readonly before?: readonly Buffer[];
  readonly behind?: readonly Buffer[];
  readonly front?: Buffer;
  readonly tail?: Buffer;
  /** Bytes at the end that did not arrive. */
  readonly missing?: number;
}

const RATE = 8_000;
const SECONDS = 2.5;

/** A sawtooth in whatever the codec makes of it: it is lengths that are judged. */
function sound(bytes: number): Buffer {
  return Buffer.from(Array.from({ length: bytes }, (_, i) => (i * 7) & 0x3f));
}

function write(written: Written): Buffer {
  const { form = 'RIFF', codec = 1, channels = 1, bits = 16, before = [], behind = [] } = written;
  const block = channels * Math.ceil(bits / 8);
  const data = sound(RATE * SECONDS * block);
  const fmt = chunk(
    'fmt ',
    Buffer.concat([
      u16le(codec, channels),
      u32le(RATE),
      u32le(written.byteRate ?? RATE * block),
      u16le(written.blockBytes ?? block, bits),
      written.extension ?? Buffer.alloc(0),
    ]),
  );
  const body = Buffer.concat([
    text('WAVE'),
    ...before.filter((part) => part.toString('latin1', 0, 4) === 'ds64'),
    fmt,
    ...before.filter((part) => part.toString('latin1', 0, 4) !== 'ds64'),
    ...[text('data'), u32le(written.data ?? data.length), data, ...behind],
  ]);
  const whole = Buffer.concat([
    written.front ?? Buffer.alloc(0),
    ...[text(form), u32le(written.riff ?? body.length), body],
    written.tail ?? Buffer.alloc(0),
  ]);
  return whole.subarray(0, whole.length - (written.missing ?? 0));
}

/** Of 16 bits, mono. */
const BYTES = RATE * SECONDS * 2;
const swapped = (value: number) => u32le(value).readUInt32BE();

const INFO = chunk('LIST', text('INFOISFT\x0e\0\0\0Lavf60.16.100\0'));
const C2PA = chunk('C2PA', Buffer.alloc(3_001, 0x6a));
const BEXT = chunk('bext', Buffer.alloc(602));
const ds64 = (riff: number, data: number) =>
  chunk('ds64', Buffer.concat([u32le(riff), u32le(0), u32le(data), u32le(0), Buffer.alloc(12)]));

/** Who cannot go back to fill the lengths in writes one of these. */
const PLACEHOLDERS: Readonly<Record<string, Written>> = {
  'OpenAI, Kokoro: 0xffffffff': { riff: 0xffffffff, data: 0xffffffff },
  'ffmpeg to a pipe, MiniMax: 0xffffffff behind LIST': { riff: 0xffffffff, data: 0xffffffff, before: [INFO] },
  'ElevenLabs: 0x7fffffff': { riff: 0x7fffffff, data: 0x7fffffff },
  'Pocket TTS: 2,000,000,000': { riff: 2_000_000_036, data: 2_000_000_000 },
  'Pocket TTS: 2,000,000,000 in data, 0 in RIFF': { riff: 0, data: 2_000_000_000 },
  'libsndfile to a pipe: 0': { riff: 0, data: 0 },
  'Python wave to a pipe: 36 and 0': { riff: 36, data: 0 },
  'PyAudio, never closed: 36 and 0 behind LIST': { riff: 36, data: 0, before: [INFO] },
  'SoX to a pipe: 0x7ffff000': { riff: 0x7ffff024, data: 0x7ffff000 },
  'eSpeak to a pipe: 0x7ffff000 in both': { riff: 0x7ffff000, data: 0x7ffff000 },
  'arecord to a pipe: 0x80000000': { riff: 0x80000024, data: 0x80000000 },
  'GStreamer wavenc: 0x7fff0000': { riff: 0x7fff0024, data: 0x7fff0000 },
  'a recorder on a board: 0xffffffff less the header': { riff: 0xffffffff, data: 0xffffffff - 36 },
  'a browser worklet: -8 and -44': { riff: 0xfffffff8, data: 0xffffffd4 },
  'a service: 0x7fffff00': { riff: 0x7fffff24, data: 0x7fffff00 },
  'a service: 0xffffff00': { riff: 0xffffff24, data: 0xffffff00 },
  'a service: 0x40000000': { riff: 0x40000024, data: 0x40000000 },
  'a service: 1,000,000,000': { riff: 1_000_000_036, data: 1_000_000_000 },
  'a service: an odd one': { riff: 0x7fffffff, data: 0x7ffffffd },
  'data right, RIFF 0': { riff: 0 },
  'data right, RIFF 0xffffffff': { riff: 0xffffffff },
  'data right, RIFF 0x7fffffff': { riff: 0x7fffffff },
  'data right, RIFF -8': { riff: 0xfffffff8 },
  'RIFF right, data 0': { data: 0 },
  'RIFF right, data 0xffffffff': { data: 0xffffffff },
  'RIFF right, data 0x7fffffff': { data: 0x7fffffff },
  'RIFF right, data 0x7ffff000': { data: 0x7ffff000 },
};

/** What the placeholders stand in: the kinds of samples that services stream. */
const STREAMED: Readonly<Record<string, Written>> = {
  '8 bits': { bits: 8 },
  '24 bits': { bits: 24 },
  stereo: { channels: 2 },
  float: { codec: 3, bits: 32 },
  'mu-law (Azure, Twilio)': { codec: 7, bits: 8 },
  'A-law (Azure)': { codec: 6, bits: 8 },
};

/** The sound is all there and `data` says so; what RIFF says is read by nobody. */
const LENGTHS: Readonly<Record<string, Written>> = {
  'RecordRTC: RIFF of the whole file, 8 too many': { riff: BYTES + 44 },
  'MediaStreamRecorder: likewise, stereo': { riff: 2 * BYTES + 44, channels: 2 },
  'Recorder.js: RIFF 4 too few': { riff: BYTES + 32 },
  'RIFF of the data alone': { riff: BYTES },
  'RIFF of the data and its header': { riff: BYTES + 8 },
  'RIFF one too few': { riff: BYTES + 35 },
  'RIFF one too many': { riff: BYTES + 37 },
  'RIFF in samples': { riff: BYTES / 2 + 36 },
  'RIFF without what stands behind': { riff: BYTES + 36, behind: [INFO] },
  'RIFF in the order of the network': { riff: swapped(BYTES + 36) },
  'both in the order of the network': { riff: swapped(BYTES + 36), data: swapped(BYTES) },
  'data of the whole file': { data: BYTES + 44 },
  'data of the whole file, and RIFF': { riff: BYTES + 44, data: BYTES + 44 },
  'data of the form': { data: BYTES + 36 },
};

const FIELDS: Readonly<Record<string, Written>> = {
  'Recorder.js made mono: byte rate of stereo': { byteRate: RATE * 4 },
  'Recorder.js made mono: byte rate and blocks of stereo': { byteRate: RATE * 4, blockBytes: 4 },
  'wav-audio-encoder: byte rate of mono for stereo': { channels: 2, byteRate: RATE * 2 },
  'AudioMass: byte rate of 8 bits': { byteRate: RATE },
  'byte rate in bits': { byteRate: RATE * 16 },
  'byte rate of the samples': { channels: 2, byteRate: RATE },
  'byte rate of 0': { byteRate: 0 },
  'byte rate of 0xffffffff': { byteRate: 0xffffffff },
  'byte rate of 44.1 kHz': { byteRate: 88_200 },
  'blocks of 0 bytes, byte rate of 0': { blockBytes: 0, byteRate: 0 },
  'blocks of one byte': { blockBytes: 1 },
  'blocks of stereo, for mono': { blockBytes: 4 },
  'blocks in bits': { blockBytes: 16 },
  'blocks of 8 bytes, for stereo': { channels: 2, blockBytes: 8 },
  '12 bits in 16': { bits: 12 },
  '20 bits in 24': { bits: 20 },
  '24 bits, byte rate of 16': { bits: 24, byteRate: RATE * 2 },
  'float, byte rate of 16 bits': { codec: 3, bits: 32, byteRate: RATE * 2 },
  'an extension of no bytes (18)': { extension: u16le(0) },
  'an extension that claims 22 and has none': { extension: u16le(22) },
};

/** WAVEFORMATEXTENSIBLE: 22 bytes, valid bits, speakers, and a GUID that begins with the codec. */
function extensible(tail: string, valid = 16): Written {
  const extension = Buffer.concat([u16le(22, valid), u32le(4), u16le(1), Buffer.from(tail, 'hex')]);
  return { codec: 0xfffe, extension };
}

const EXTENSIBLE: Readonly<Record<string, Written>> = {
  extensible: extensible('000000001000800000aa00389b71'),
  'extensible, no valid bits': extensible('000000001000800000aa00389b71', 0),
  'extensible, GUID shifted by four bytes': extensible('00000000000000001000800000aa'),
  'extensible, GUID of ambisonics': extensible('00002107d3118644c8c1ca000000'),
  'extensible, GUID of zeros': extensible('0000000000000000000000000000'),
};

const AROUND: Readonly<Record<string, Written>> = {
  'LIST in front': { before: [INFO] },
  'bext in front': { before: [BEXT] },
  'JUNK in front, for a later ds64': { before: [chunk('JUNK', Buffer.alloc(28))] },
  'fact in front, of another count': { before: [chunk('fact', u32le(7))] },
  'fact of 0xffffffff in front': { before: [chunk('fact', u32le(0xffffffff))] },
  'id3 and LIST behind': { behind: [chunk('id3 ', id3(Buffer.alloc(99))), INFO] },
  'C2PA behind (wyoming_openai)': { behind: [C2PA] },
  'C2PA in front': { before: [C2PA] },
  'iXML and cue behind': { behind: [chunk('iXML', text('<x/>')), chunk('cue ', Buffer.alloc(4))] },
  'LIST behind that is cut': { behind: [INFO], missing: 9 },
  'LIST behind that claims 1 GB': { behind: [Buffer.concat([text('LIST'), u32le(1e9), text('INFO')])] },
  'bytes behind that are no chunk': { tail: text('end') },
  'zeros behind': { tail: Buffer.alloc(5_000) },
  'ID3v1 behind': { tail: ID3V1 },
  'ID3v2 in front of the form': { front: id3(Buffer.alloc(500)) },
  'ID3v2 in front, lengths of 0xffffffff': {
    front: id3(Buffer.alloc(77)),
    riff: 0xffffffff,
    data: 0xffffffff,
  },
  'a second file behind': { tail: write({}) },
  BW64: { form: 'BW64', riff: 0xffffffff, data: 0xffffffff, before: [ds64(BYTES + 72, BYTES)] },
  'RF64 without ds64': { form: 'RF64', riff: 0xffffffff, data: 0xffffffff },
};

/** What was sent is not the whole: the claims are those of the file before it was cut. */
const CUT: Readonly<Record<string, Written>> = {
  'cut by 1 byte': { missing: 1 },
  'cut by 4,096 bytes': { missing: 4_096 },
  'cut to a tenth': { missing: BYTES * 0.9 },
  'of 50 MB, cut': { riff: 50_000_036, data: 50_000_000 },
  'of RecordRTC, cut': { riff: BYTES + 44, missing: 1_000 },
};

const named = (
  makers: Readonly<Record<string, Written>>,
  suffix = '',
  more: Written = {},
): readonly CorpusFile[] =>
  files(
    'audio',
    Object.fromEntries(
      Object.entries(makers).map(([name, written]) => [
        `wav ${name}${suffix}`,
        () => write({ ...written, ...more }),
      ]),
    ),
  );

export const WAV_WRITERS: readonly CorpusFile[] = [
  ...[PLACEHOLDERS, LENGTHS, FIELDS, EXTENSIBLE, AROUND, CUT].flatMap((makers) => named(makers)),
  ...named(STREAMED, ', 0xffffffff', { riff: 0xffffffff, data: 0xffffffff }),
  ...named(STREAMED, ', 0', { riff: 0, data: 0 }),
];
