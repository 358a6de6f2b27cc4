/** What the threads of `inspector.ts` run: one look at one file. */

import { createHash } from 'node:crypto';
import { Piscina } from 'piscina';
import { inspectAudio } from '../domain/media/audio.js';
import { inspectImage } from '../domain/media/image.js';
import { MediaError } from '../domain/media/media.js';

const LOOK = { image: inspectImage, sound: inspectAudio } as const;

export interface Task {
  readonly kind: keyof typeof LOOK;
  readonly bytes: Uint8Array;
}

type Movable = Parameters<typeof Piscina.move>[0];

/** An error would not be itself any more behind the border of a thread. */
export interface Report {
  readonly facts: Awaited<ReturnType<(typeof LOOK)[Task['kind']]>> | null;
  /** Why it cannot be used. */
  readonly fault: string | null;
  /** SHA-256, in base64url. */
  readonly digest: string;
  /** Given back. */
  readonly bytes: Uint8Array;
}

/** Returns a {@link Report}, with which the memory moves back. */
export default async function inspect({ kind, bytes }: Task): Promise<unknown> {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const digest = createHash('sha256').update(buffer).digest('base64url');
  let report: Report;
  try {
    report = { facts: await LOOK[kind](buffer), fault: null, digest, bytes };
  } catch (error) {
    if (!(error instanceof MediaError)) throw error;
    report = { facts: null, fault: error.detail, digest, bytes };
  }
  const given = { [Piscina.transferableSymbol]: bytes.buffer, [Piscina.valueSymbol]: report };
  // Its types do not say which symbols these two are.
  return Piscina.move(given as unknown as Movable);
}
