/** What the threads of `inspector.ts` run: one look at one file. */

import { createHash } from 'node:crypto';
import { Piscina } from 'piscina';
import { inspectAudio } from '../domain/media/audio.js';
import { decodeBase64 } from '../domain/media/base64.js';
import { inspectImage, MAX_IMAGE_BYTES } from '../domain/media/image.js';
import { MediaError } from '../domain/media/media.js';

const LOOK = { image: inspectImage, sound: inspectAudio } as const;

/** Where files are decoded, one after the other. What has no room there is too large anyhow. */
const desk = Buffer.allocUnsafeSlow(MAX_IMAGE_BYTES);

export interface Task {
  readonly kind: keyof typeof LOOK;
  readonly bytes: Uint8Array;
  /** Whether they are base64. */
  readonly encoded: boolean;
}

type Movable = Parameters<typeof Piscina.move>[0];

/** An error would not be itself any more behind the border of a thread. */
export interface Report {
  readonly facts: Awaited<ReturnType<(typeof LOOK)[Task['kind']]>> | null;
  /** Why it cannot be used. */
  readonly fault: string | null;
  /** Of the file, SHA-256 in base64url; empty where it cannot be used. */
  readonly digest: string;
  /** Given back. */
  readonly bytes: Uint8Array;
}

/** Returns a {@link Report}, with which the memory moves back. */
export default async function inspect({ kind, bytes, encoded }: Task): Promise<unknown> {
  let report: Report;
  try {
    const given = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    const file = encoded ? decodeBase64(given, desk) : given;
    const digest = createHash('sha256').update(file).digest('base64url');
    report = { facts: await LOOK[kind](file), fault: null, digest, bytes };
  } catch (error) {
    if (!(error instanceof MediaError)) throw error;
    report = { facts: null, fault: error.detail, digest: '', bytes };
  }
  const given = { [Piscina.transferableSymbol]: bytes.buffer, [Piscina.valueSymbol]: report };
  // Its types do not say which symbols these two are.
  return Piscina.move(given as unknown as Movable);
}
