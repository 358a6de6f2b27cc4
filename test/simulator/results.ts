import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Settings } from './settings.js';
import type { Answer } from './wire.js';

/** The one video every successful task comes to. */
export const VIDEO = {
  bytes: readFileSync(new URL('./result.mp4', import.meta.url)),
  width: 720,
  height: 960,
  seconds: 6.16,
} as const;

const ETAG = '"avatar-gateway-simulator"';

/** A call of a result URL. */
export interface ResultCall {
  readonly taskId: string;
  readonly atEdge: boolean;
  readonly method: string;
  readonly query: URLSearchParams;
  readonly range: string | undefined;
}

/** Signs result URLs and answers them, as an object store does: no API key is asked for, and a URL is good for GET alone. */
export class Results {
  readonly #secret = randomBytes(32);
  readonly #now: () => number;
  readonly #endedAt: (taskId: string) => number | null;

  /** @param endedAt when a task ended, in ms since the epoch; `null` where there is no such task */
  constructor(now: () => number, endedAt: (taskId: string) => number | null) {
    this.#now = now;
    this.#endedAt = endedAt;
  }

  /** The signed URL of a task's video, good until `expiresAt` (ms since the epoch), and for `ttlMs` at most unless that is 0. */
  url(base: string, taskId: string, expiresAt: number, ttlMs: number): string {
    const until = ttlMs === 0 ? expiresAt : Math.min(expiresAt, this.#now() + ttlMs);
    const expires = Math.floor(until / 1000);
    const query = new URLSearchParams({ expires: String(expires), sig: this.#sign('GET', taskId, expires) });
    return `${base}/results/${taskId}.mp4?${query}`;
  }

  /** Answers a call of a result URL. */
  serve({ taskId, atEdge, method, query, range }: ResultCall, settings: Settings): Answer {
    const expires = Number(query.get('expires'));
    if (!sameText(query.get('sig') ?? '', this.#sign(method, taskId, expires))) {
      return denied(403, 'SignatureDoesNotMatch', 'The request signature does not match');
    }
    const { expiredStatus, resultLagMs, resultEdge, resultType } = settings;
    if (this.#now() >= expires * 1000) return denied(expiredStatus, 'AccessDenied', 'Request has expired');
    const endedAt = this.#endedAt(taskId);
    if (endedAt === null || (resultLagMs > 0 && this.#now() < endedAt + resultLagMs)) {
      return denied(404, 'NoSuchKey', 'The specified key does not exist');
    }
    if (resultEdge && !atEdge) {
      return { status: 302, headers: { location: `/edge/${taskId}.mp4?${query}` }, body: Buffer.alloc(0) };
    }
    return ranged(range, resultType);
  }

  #sign(method: string, taskId: string, expires: number): string {
    return createHmac('sha256', this.#secret).update(`${method}\n${taskId}\n${expires}`).digest('base64url');
  }
}

function ranged(range: string | undefined, type: string): Answer {
  const size = VIDEO.bytes.length;
  const headers = { 'content-type': type, 'accept-ranges': 'bytes', etag: ETAG };
  const wanted = parseRange(range, size);
  if (wanted === 'all') return { status: 200, headers, body: VIDEO.bytes };
  if (wanted === 'none') {
    return {
      status: 416,
      headers: { ...headers, 'content-range': `bytes */${size}` },
      body: Buffer.alloc(0),
    };
  }
  return {
    status: 206,
    headers: { ...headers, 'content-range': `bytes ${wanted.first}-${wanted.last}/${size}` },
    body: VIDEO.bytes.subarray(wanted.first, wanted.last + 1),
  };
}

/** RFC 9110, 14.2: one range is served; what is not understood, and several ranges, are ignored. */
function parseRange(
  range: string | undefined,
  size: number,
): 'all' | 'none' | { first: number; last: number } {
  const match = /^bytes=(\d*)-(\d*)$/.exec(range ?? '');
  if (match === null || (match[1] === '' && match[2] === '')) return 'all';
  if (match[1] === '') {
    const suffix = Number(match[2]);
    return suffix === 0 ? 'none' : { first: Math.max(0, size - suffix), last: size - 1 };
  }
  const first = Number(match[1]);
  const last = match[2] === '' ? size - 1 : Math.min(Number(match[2]), size - 1);
  if (match[2] !== '' && Number(match[2]) < first) return 'all';
  return first >= size ? 'none' : { first, last };
}

function denied(status: number, code: string, message: string): Answer {
  return {
    status,
    headers: { 'content-type': 'application/xml' },
    body: Buffer.from(
      `<?xml version="1.0"?><Error><Code>${code}</Code><Message>${message}</Message></Error>`,
    ),
  };
}

function sameText(left: string, right: string): boolean {
  const [a, b] = [Buffer.from(left), Buffer.from(right)];
  return a.length === b.length && timingSafeEqual(a, b);
}
