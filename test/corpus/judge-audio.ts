/** What ffprobe makes of a sound, held against the contract's limits ("Submit": `sound_file`). */

import { ffprobe } from './tools.js';
import { refused, type Verdict } from './verdict.js';

/** The contract in numbers, a second time: a judge that read them from the code would agree with it. */
const LIMITS = { bytes: 5_000_000, seconds: { least: 2, most: 300 } } as const;

/**
 * Which demuxer and codec go by which of the contract's four names: PCM and its two telephone forms in WAV, AAC in
 * MP4, whose demuxer also reads what phones write of it, QuickTime and 3GPP. The contract names files and no codecs; what a name usually holds is sure to be read, anything else is not.
 */
const KINDS: ReadonlyArray<readonly [name: string, format: string, codec: RegExp]> = [
  ['mp3', 'mp3', /^mp3(?:float)?$/],
  ['wav', 'wav', /^pcm_(?:u8|s16le|s24le|s32le|f32le|f64le|alaw|mulaw)$/],
  ['m4a', 'mov,mp4,m4a,3gp,3g2,mj2', /^aac$/],
  ['aac', 'aac', /^aac$/],
];

/**
 * Complaints with which all of the sound is decoded: what stands between or behind the frames of an mp3 (a tag,
 * padding) is no frame, the last frame of one may end before its sound, and the last byte of a WAV is no sample.
 */
const HARMLESS: readonly RegExp[] = [
  /^\[mp3float @ \w+\] Header missing$/,
  /^\[mp3float @ \w+\] invalid new backstep -1$/,
  /^\[pcm_\w+ @ \w+\] Invalid PCM packet, data has size \d+ but at least a size of \d+ was expected$/,
];

/** MP4 declares its length; what is decoded may be longer by the encoder's padding, which is less than two frames. */
const PADDING_FRAMES = 2;
const FRAME = 1024;

const ENTRIES = [
  'format=format_name',
  'stream=codec_type,codec_name,sample_rate,duration',
  'stream_disposition=attached_pic',
  'frame=media_type,nb_samples',
].join(':');

interface Probe {
  readonly format?: { readonly format_name: string };
  readonly streams?: ReadonlyArray<{
    readonly codec_type: string;
    readonly codec_name?: string;
    readonly sample_rate?: string;
    readonly duration?: string;
    readonly disposition?: { readonly attached_pic: number };
  }>;
  readonly frames?: ReadonlyArray<{ readonly media_type: string; readonly nb_samples?: number }>;
}

/**
 * Decodes the sound whole. Seconds are those of the decoded samples, less what the file says its encoder added;
 * of MP4 they are what ffprobe says the track plays by its edit list, which version 5 does not apply to the end,
 * and the decoded samples must come to about as much.
 */
export async function judgeAudio(file: string, bytes: number): Promise<Verdict> {
  if (bytes > LIMITS.bytes) return refused('bytes', `${bytes} bytes`);
  const { ok, stdout, stderr } = await ffprobe(
    '-of',
    'json=compact=1',
    '-show_frames',
    '-show_entries',
    ENTRIES,
    file,
  );
  if (!ok) return refused('unreadable', stderr);
  const { format, streams = [], frames = [] } = JSON.parse(stdout.toString()) as Probe;
  const sounds = streams.filter(({ codec_type }) => codec_type === 'audio');
  const [sound] = sounds;
  const codec = sound?.codec_name ?? 'nothing';
  const kind = KINDS.find(([, name, allowed]) => name === format?.format_name && allowed.test(codec))?.[0];
  if (kind === undefined) return refused('unreadable', `is ${format?.format_name} with ${codec}`);
  if (streams.some((stream) => stream.codec_type === 'video' && stream.disposition?.attached_pic !== 1)) {
    return refused('unreadable', 'is a film');
  }
  if (sounds.length > 1) return refused('unreadable', `has ${sounds.length} tracks of sound`);
  const complaints = stderr.split('\n').filter((line) => !HARMLESS.some((words) => words.test(line)));
  if (complaints.join('') !== '') return refused('unreadable', complaints.join('; '));
  const rate = Number(sound?.sample_rate);
  const samples = frames
    .filter(({ media_type }) => media_type === 'audio')
    .map(({ nb_samples = 0 }) => nb_samples);
  const decoded = samples.reduce((sum, count) => sum + count, 0) / rate;
  const seconds = kind === 'm4a' ? Number(sound?.duration) : decoded;
  if (kind === 'm4a' && Math.abs(decoded - seconds) * rate > PADDING_FRAMES * FRAME) {
    return refused('unreadable', `declares ${seconds} s, decodes to ${decoded} s`);
  }
  if (seconds < LIMITS.seconds.least || seconds > LIMITS.seconds.most)
    return refused('length', `${seconds} s`);
  return { taken: true, format: kind, seconds };
}
