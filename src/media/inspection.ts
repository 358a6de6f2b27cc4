/** What the threads of `inspector.ts` run: one inspection of one file. */

import { createHash } from 'node:crypto';
import { Piscina } from 'piscina';
import { inspectAudio } from '../domain/media/audio/audio.js';
import { decodeBase64 } from '../domain/media/base64.js';
import type { Forgiven } from '../domain/media/forgiven.js';
import { inspectImage, MAX_IMAGE_BYTES } from '../domain/media/image/image.js';
import { MediaError } from '../domain/media/media.js';

const INSPECT = { image: inspectImage, sound: inspectAudio } as const;

/** Where files are decoded, one after the other. What has no room there is too large anyhow. */
const desk = Buffer.allocUnsafeSlow(MAX_IMAGE_BYTES);

export interface Task {
  readonly kind: keyof typeof INSPECT;
  readonly bytes: Uint8Array;
  /** Whether they are base64. */
  readonly encoded: boolean;
}

type Movable = Parameters<typeof Piscina.move>[0];

/** An error would not be itself any more behind the border of a thread. */
export interface Report {
  readonly facts: Awaited<ReturnType<(typeof INSPECT)[Task['kind']]>> | null;
  /** Why it cannot be used. */
  readonly fault: string | null;
  /** Of the file, SHA-256 in base64url; empty where it cannot be used. */
  readonly digest: string;
  readonly forgiven: readonly Forgiven[];
  /** Given back: as they came, or the file itself where something was forgiven, since it may have been put right. */
  readonly bytes: Uint8Array;
  readonly encoded: boolean;
}

/** Returns a {@link Report}, with which the memory moves back. */
export default async function inspect({ kind, bytes, encoded }: Task): Promise<unknown> {
  let report: Report;
  try {
    const given = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    const file = encoded ? decodeBase64(given, desk) : given;
    const forgiven: Forgiven[] = [];
    const facts = await INSPECT[kind](file, (one) => forgiven.push(one));
    const digest = createHash('sha256').update(file).digest('base64url');
    const isText = encoded && forgiven.length === 0;
    // The desk is for the next file.
    const sent = encoded && !isText ? new Uint8Array(file) : bytes;
    report = { facts, fault: null, digest, forgiven, bytes: sent, encoded: isText };
  } catch (error) {
    if (!(error instanceof MediaError)) throw error;
    report = { facts: null, fault: error.detail, digest: '', forgiven: [], bytes, encoded };
  }
  const given = { [Piscina.transferableSymbol]: report.bytes.buffer, [Piscina.valueSymbol]: report };
  // Its types do not say which symbols these two are.
  return Piscina.move(given as unknown as Movable);
}
