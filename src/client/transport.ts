import { ConnectionError, GatewayError, PROBLEM_PREFIX } from './errors.js';
import type { Problem } from './schema.js';
import type { ClientOptions, RequestOptions } from './types.js';

const TIMEOUT_MS = 30_000;

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
  const { timeoutMs = TIMEOUT_MS } = options;
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
    const withinMs = timeoutMs + (call.waitSeconds ?? 0) * 1000;
    const timer = setTimeout(() => attempt.abort(new Error(`none within ${withinMs} ms`)), withinMs);
    try {
      // A redirect would make a GET of a POST; the gateway sends none.
      const init: RequestInit = { method, headers, signal: attempt.signal, redirect: 'error' };
      const response = await fetch(base + path, body === undefined ? init : { ...init, body }).catch(broke);
      call.onResponse?.(response);
      if (response.status >= 400) throw await errorOf(response, idempotencyKey).catch(broke);
      return await read(response).catch(broke);
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
    }
  };
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
