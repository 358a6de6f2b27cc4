/** The programs that make the corpus and judge it, from Debian's `ffmpeg` and `imagemagick`. */

import { type SpawnOptions, spawn, spawnSync } from 'node:child_process';

/** What a program left behind. */
export interface Outcome {
  readonly ok: boolean;
  readonly stdout: Buffer;
  readonly stderr: string;
}

/**
 * ImageMagick's `convert`, by the names that Debian 12 (version 6) and later ones (version 7) give it. The plain
 * name comes last: it may be a link to something else.
 */
const CONVERT = ['convert-im6.q16', 'convert-im6.q16hdri', 'magick', 'convert'];

let convertName: string | undefined;

/** The first of its names that answers as ImageMagick. */
function findConvert(): string {
  convertName ??= CONVERT.find((name) => spawnSync(name, ['-version']).stdout?.includes('ImageMagick'));
  if (convertName === undefined) throw new Error('ImageMagick is missing: apt-get install imagemagick');
  return convertName;
}

/** Runs ImageMagick's `convert`. Fails with its words where `-regard-warnings` or an error says so. */
export function convert(...args: readonly string[]): Promise<Outcome> {
  return run(findConvert(), args);
}

/** Runs `ffmpeg`, which says nothing but what is wrong. Bit-exact, so that each run makes the same files. */
export function ffmpeg(...args: readonly string[]): Promise<Outcome> {
  return run('ffmpeg', ['-hide_banner', '-nostdin', '-loglevel', 'error', '-y', ...args]);
}

/** Runs `ffprobe`, likewise. */
export function ffprobe(...args: readonly string[]): Promise<Outcome> {
  return run('ffprobe', ['-hide_banner', '-loglevel', 'error', ...args]);
}

async function run(command: string, args: readonly string[]): Promise<Outcome> {
  // One thread each: the files are small, and several of these run side by side.
  const options: SpawnOptions = { env: { ...process.env, MAGICK_THREAD_LIMIT: '1' } };
  const child = spawn(command, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
  const [stdout, stderr] = await Promise.all([
    child.stdout.toArray(),
    child.stderr.toArray(),
    new Promise((resolve, reject) => child.once('close', resolve).once('error', reject)),
  ]);
  return {
    ok: child.exitCode === 0,
    stdout: Buffer.concat(stdout),
    stderr: Buffer.concat(stderr).toString().trim(),
  };
}
