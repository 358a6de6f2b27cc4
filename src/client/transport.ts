import { ConnectionError, GatewayError, PROBLEM_PREFIX } from './errors.js';
import { isRedirect, redirectError } from './redirect.js';
import { LONGEST_TIMER_MS } from './retry.js';
import type { Problem } from './schema.js';
import type { ClientOptions, RequestOptions } from './types.js';

const TIMEOUT_MS = 30_000;
/** The slowest body that the gateway takes gains 64 kB in 10 s, and is there in 300 s (docs/hardening.md). */
const UPLOAD_BYTES_A_MS = 65_536 / 10_000;
const MAX_UPLOAD_MS = 300_000;

export interface Call extends RequestOptions {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** With the query, without the base URL. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | FormData;
  /** How long the gateway was asked to wait. */
  readonly waitSeconds?: number | undefined;
}

/**
 * One attempt: its time runs until `read` is done with the answer, which is one below 400.
 * @throws {GatewayError}
 * @throws {ConnectionError}
 */
export type Send = <T>(call: Call, read: (response: Response) => Promise<T>) => Promise<T>;

/** @throws {TypeError} for options that cannot be used; it shows no secret */
export function createTransport(options: ClientOptions): Send {
  // A browser's fetch is not to be called as a method of something else.
  const fetch: typeof globalThis.fetch = options.fetch ?? ((...args) => globalThis.fetch(...args));
  const base = baseOf(options.baseUrl);
  const ownHeaders = headersOf(options);

  return async (call, read) => {
    const { method, path, body, signal } = call;
    const headers = new Headers(ownHeaders);
    for (const [name, value] of Object.entries(call.headers ?? {})) headers.set(name, value);
    const idempotencyKey = headers.get('idempotency-key');
    const broke = (cause: unknown): never => {
      signal?.throwIfAborted();
      throw new ConnectionError(cause, idempotencyKey);
    };

    signal?.throwIfAborted();
    const attempt = new AbortController();
    const abort = () => attempt.abort(signal?.reason);
    signal?.addEventListener('abort', abort);
    const withinMs = Math.ceil(
      (call.requestTimeoutMs ?? options.requestTimeoutMs ?? TIMEOUT_MS) +
        (call.waitSeconds ?? 0) * 1000 +
        Math.min(MAX_UPLOAD_MS, sizeOf(body) / UPLOAD_BYTES_A_MS),
    );
    const timer = setTimeout(
      () => attempt.abort(new Error(`none within ${withinMs} ms`)),
      Math.min(withinMs, LONGEST_TIMER_MS),
    );
    try {
      const init: RequestInit & { readonly cache: 'no-store' } = {
        ...{ method, headers, signal: attempt.signal },
        // A redirect would make a GET of a POST, and take the key to somebody else; the gateway sends none.
        redirect: 'manual',
        // Frameworks that replace fetch keep answers of GET for ever otherwise.
        cache: 'no-store',
      };
      const response = await fetch(base + path, body === undefined ? init : { ...init, body }).catch(broke);
      call.onResponse?.(response);
      if (isRedirect(response)) throw redirectError(response, base, path, idempotencyKey);
      if (response.status >= 400) throw await errorOf(response, idempotencyKey).catch(broke);
      return await read(response).catch(broke);
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
    }
  };
}

/** About as many bytes as will be sent. */
function sizeOf(body: string | FormData | undefined): number {
  if (body === undefined || typeof body === 'string') return body?.length ?? 0;
  return [...body.values()].reduce(
    (sum, value) => sum + (typeof value === 'string' ? value.length : value.size),
    0,
  );
}

function baseOf(baseUrl: string): string {
  // In a browser a path is enough. Types of browsers are not known everywhere where this is compiled.
  const { location } = globalThis as { location?: { readonly href: string } };
  const url = URL.canParse(baseUrl, location?.href) ? new URL(baseUrl, location?.href) : null;
  if (url === null || !/^https?:$/.test(url.protocol)) throw new TypeError('baseUrl is not an http(s) URL');
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '') {
    throw new TypeError('baseUrl has more than a host and a path; a key is given as apiKey');
  }
  return url.href.replace(/\/+$/, '');
}

function headersOf({ apiKey, headers }: ClientOptions): Headers {
  const all = new Headers({ accept: 'application/json', ...headers });
  if (apiKey === undefined) return all;
  // Headers would show in their error what cannot be sent.
  if (!/^[!-~]+$/.test(apiKey)) throw new TypeError('apiKey is not visible ASCII characters alone');
  all.set('authorization', `Bearer ${apiKey}`);
  return all;
}

async function errorOf(response: Response, idempotencyKey: string | null): Promise<GatewayError> {
  const { status, headers } = response;
  return new GatewayError({
    status,
    problem: problemIn(headers.get('content-type') ?? '', await response.text()),
    requestId: headers.get('x-request-id'),
    retryAfterMs: retryAfterMs(headers.get('retry-after')),
    idempotencyKey,
  });
}

/** `null`: it is from somebody else, a proxy for example. */
function problemIn(type: string, text: string): Problem | null {
  if (!type.startsWith('application/problem+json')) return null;
  try {
    const problem = JSON.parse(text) as Problem;
    return problem.type.startsWith(PROBLEM_PREFIX) ? problem : null;
  } catch {
    return null;
  }
}

/** Seconds, or as a proxy may write it, a date (RFC 9110 §10.2.3). */
function retryAfterMs(header: string | null): number | null {
  if (header === null) return null;
  const ms = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - Date.now();
  return Number.isNaN(ms) ? null : Math.max(0, ms);
}
