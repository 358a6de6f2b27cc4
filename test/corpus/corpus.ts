/** Makes every file of the corpus, and asks both the judge and the gateway about it. */

import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { exceptions } from './exceptions.js';
import { ADTS } from './files/adts.js';
import { JPEGS } from './files/jpegs.js';
import { M4AS } from './files/m4as.js';
import { MP3_WRITERS } from './files/mp3-writers.js';
import { MP3S } from './files/mp3s.js';
import { NO_IMAGES } from './files/no-images.js';
import { NO_SOUNDS } from './files/no-sounds.js';
import { PHONE_PICTURES } from './files/phone-pictures.js';
import { PHONES } from './files/phones.js';
import { PNGS } from './files/pngs.js';
import { WAV_WRITERS } from './files/wav-writers.js';
import { WAVS } from './files/wavs.js';
import { askGateway } from './gateway.js';
import { judgeAudio } from './judge-audio.js';
import { judgeImage } from './judge-image.js';
import { type CorpusFile, Kit } from './kit.js';
import { describe, type Verdict } from './verdict.js';

export const CORPUS: readonly CorpusFile[] = [
  ...JPEGS,
  ...PNGS,
  ...PHONE_PICTURES,
  ...NO_IMAGES,
  ...MP3S,
  ...MP3_WRITERS,
  ...WAVS,
  ...WAV_WRITERS,
  ...M4AS,
  ...PHONES,
  ...ADTS,
  ...NO_SOUNDS,
];

/**
 * Both count samples, none is left open; the gateway gives its answer in whole milliseconds. So they may differ
 * by half of one, and not by a frame.
 */
const TOLERANCE_MS = 0.5 + 1e-6;

export interface Result {
  readonly name: string;
  readonly judge: Verdict;
  readonly gateway: Verdict;
  /** Of the gateway to the judge, where both took a sound. */
  readonly differenceMs: number | null;
  /** Why the gateway is expected to differ from the judge, where it is. */
  readonly why: string | null;
  readonly ok: boolean;
}

/**
 * Judges every file, in the order of the corpus but as many at a time as there are processors. The folder is the
 * caller's to remove.
 * @throws {Error} where a file cannot be made
 */
export async function runCorpus(dir: string): Promise<readonly Result[]> {
  const kit = new Kit(dir);
  const results: Result[] = [];
  const left = CORPUS.entries();
  const workers = Array.from({ length: availableParallelism() }, async () => {
    for (const [index, file] of left) results[index] = await judge(file, kit, dir);
  });
  await Promise.all(workers);
  return results;
}

async function judge({ name, kind, make }: CorpusFile, kit: Kit, dir: string): Promise<Result> {
  const bytes = await make(kit);
  // No name that says anything: neither program must be led by one.
  const path = join(dir, randomUUID());
  await writeFile(path, bytes);
  const judge = await (kind === 'image' ? judgeImage : judgeAudio)(path, bytes.length);
  const gateway = await askGateway(kind, bytes);
  const exception = exceptions.get(name);
  const differenceMs = difference(judge, gateway);
  const same = differenceMs === null ? describe(judge) === describe(gateway) : differenceMs <= TOLERANCE_MS;
  const ok = exception === undefined ? same : !same && describe(gateway) === exception.says;
  return { name, judge, gateway, differenceMs, why: exception?.why ?? null, ok };
}

function difference(judge: Verdict, gateway: Verdict): number | null {
  if (!judge.taken || !gateway.taken || !('seconds' in judge) || !('seconds' in gateway)) return null;
  return judge.format === gateway.format ? Math.abs(gateway.seconds - judge.seconds) * 1_000 : null;
}

/** One line for a file, and what was said where something is not as it should be. */
export function lineOf({ name, judge, gateway, differenceMs, why, ok }: Result): string {
  const columns = [
    (ok ? 'ok' : 'NOT OK').padEnd(6),
    name.padEnd(56),
    `judge: ${describe(judge)}`.padEnd(26),
    `gateway: ${describe(gateway)}`.padEnd(28),
    differenceMs === null ? '' : `${differenceMs.toFixed(3)} ms`,
  ];
  const words = [judge, gateway].map((verdict) => (verdict.taken ? '' : verdict.words)).filter(Boolean);
  return [
    columns.join('  ').trimEnd(),
    ...(why === null ? [] : [`       ${why}`]),
    ...(ok ? [] : words.map((text) => `       ${text}`)),
  ].join('\n');
}
