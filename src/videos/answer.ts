import { open } from 'node:fs/promises';
import { addAbortSignal, Readable } from 'node:stream';
import { isSame, spanOf } from './range.js';

/** What is asked of a video. `signal` ends it, and the body while it is read. */
export interface Asked {
  readonly range?: string | undefined;
  readonly ifRange?: string | undefined;
  readonly method: 'GET' | 'HEAD';
  readonly signal: AbortSignal;
}

export type Answered =
  | {
      readonly kind: 'ok';
      readonly status: 200 | 206;
      readonly headers: Readonly<Record<string, string>>;
      readonly body: Readable;
    }
  | { readonly kind: 'range-not-satisfiable'; readonly contentRange: string };

/**
 * Answers with a file as a host would; `null` where it is not there or not as long as it should be. It can be removed while
 * it is read.
 */
export async function answerWith(
  file: string,
  bytes: number,
  { range, ifRange, method, signal }: Asked,
): Promise<Answered | null> {
  const handle = await open(file, 'r').catch(() => null);
  if (handle === null) return null;
  let isHeld = false;
  try {
    const { size, mtime, mtimeMs } = await handle.stat();
    if (size !== bytes) return null;
    const etag = `"${size.toString(16)}-${Math.floor(mtimeMs).toString(16)}"`;
    const lastModified = mtime.toUTCString();
    const isRanged = method === 'GET' && isSame(ifRange, { etag, lastModified });
    const span = isRanged ? spanOf(range, size) : 'all';
    if (span === 'none') return { kind: 'range-not-satisfiable', contentRange: `bytes */${size}` };
    const { first, last } = span === 'all' ? { first: 0, last: size - 1 } : span;
    const headers = {
      'content-type': 'video/mp4',
      'content-length': String(last - first + 1),
      ...(span !== 'all' && { 'content-range': `bytes ${first}-${last}/${size}` }),
      'accept-ranges': 'bytes',
      etag,
      'last-modified': lastModified,
    };
    isHeld = method === 'GET';
    const body = isHeld ? handle.createReadStream({ start: first, end: last }) : Readable.from([]);
    body.on('error', () => undefined); // Whoever hung up before it is read does not hear of it.
    return { kind: 'ok', status: span === 'all' ? 200 : 206, headers, body: addAbortSignal(signal, body) };
  } finally {
    if (!isHeld) await handle.close();
  }
}
