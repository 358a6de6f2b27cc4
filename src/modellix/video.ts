import { Readable } from 'node:stream';
import type { Dispatcher } from 'undici';
import { type AnswerHeaders, header } from './text.js';
import { wordsFor } from './words.js';

/** What of the video host's answer is passed on; everything else stays behind. A type that is no video's does, too. */
const PASSED_ON = [
  'content-type',
  'content-length',
  'content-range',
  'content-encoding',
  'accept-ranges',
  'etag',
  'last-modified',
] as const;

export type VideoHeaders = Partial<Record<(typeof PASSED_ON)[number], string>>;

export type VideoAnswer =
  /** `body` fails with an error where the host stalls or resets. It must be read or destroyed. */
  | {
      readonly kind: 'ok';
      readonly status: 200 | 206;
      readonly headers: VideoHeaders;
      readonly body: Readable;
    }
  | { readonly kind: 'range-not-satisfiable'; readonly contentRange: string | null }
  /** The signed URL has expired, or the file behind it is gone, or is not there yet. */
  | { readonly kind: 'expired' }
  | { readonly kind: 'unavailable'; readonly reason: string };

export interface VideoRequest {
  readonly range?: string | undefined;
  readonly ifRange?: string | undefined;
  readonly method: 'GET' | 'HEAD';
  /** The caller's: cancels the request, and the body while it is read. */
  readonly signal: AbortSignal;
}

interface VideoOptions {
  readonly userAgent: string;
  /** For the head of the answer, redirects included; then for each pause in the body. */
  readonly timeoutMs: number;
}

type Response = Dispatcher.ResponseData;

const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
const MAX_REDIRECTS = 3;
/** What hosts answer an expired URL with (contract, "Query"). */
const EXPIRED: ReadonlySet<number> = new Set([400, 401, 403, 404, 410]);

/**
 * The bytes of a result. Result URLs may sit on any host of the vendor's (contract, "Query"), so nothing of ours goes along
 * but the range, and no reason holds the signed URL. Redirects are followed by the same dispatcher, which decides what may
 * be connected to.
 */
export async function fetchVideo(
  dispatcher: Dispatcher,
  url: string,
  request: VideoRequest,
  { userAgent, timeoutMs }: VideoOptions,
): Promise<VideoAnswer> {
  const { signal } = request;
  // One controller for both reasons to stop. The deadline is for the head; then the body's stall time-out rules.
  const stop = new AbortController();
  const cancel = (): void => stop.abort(new Error('canceled by the caller'));
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    stop.abort(new Error('deadline'));
  }, timeoutMs);
  signal.addEventListener('abort', cancel, { once: true });
  const release = (): void => signal.removeEventListener('abort', cancel);
  if (signal.aborted) cancel();
  const options = {
    method: 'GET',
    headers: { 'user-agent': userAgent, 'accept-encoding': 'identity', ...rangeOf(request) },
    headersTimeout: timeoutMs,
    bodyTimeout: timeoutMs,
    signal: stop.signal,
  } as const;
  try {
    const response = await follow(dispatcher, url, options);
    const answer = typeof response === 'string' ? unavailable(response) : read(response, request.method);
    if (answer.kind === 'ok') answer.body.once('close', release);
    else release();
    return answer;
  } catch (error) {
    release();
    if (signal.aborted) return unavailable('canceled by the caller');
    return unavailable(late ? `no answer within ${timeoutMs} ms` : wordsFor(error));
  } finally {
    clearTimeout(timer);
  }
}

/**
 * A signature covers the verb, so HEAD is answered from a GET of the first byte, which says how large the video is. `Range`
 * has no meaning for HEAD (RFC 9110, 14.2).
 */
function rangeOf({ method, range, ifRange }: VideoRequest): Record<string, string> {
  if (method === 'HEAD') return { range: 'bytes=0-0' };
  return { ...(range !== undefined && { range }), ...(ifRange !== undefined && { 'if-range': ifRange }) };
}

/** The answer at the end of all redirects, or why there is none. */
async function follow(
  dispatcher: Dispatcher,
  url: string,
  options: Omit<Dispatcher.RequestOptions, 'origin' | 'path'>,
): Promise<Response | string> {
  let target = URL.canParse(url) ? new URL(url) : null;
  for (let redirects = 0; ; redirects += 1) {
    if (target === null || !/^https?:$/.test(target.protocol)) {
      return redirects === 0
        ? "the video's URL is not http(s)"
        : 'the video host redirects to no http(s) URL';
    }
    const path = target.pathname + target.search;
    const response = await dispatcher.request({ ...options, origin: target.origin, path });
    const { statusCode, headers, body } = response;
    if (!REDIRECTS.has(statusCode)) return response;
    discard(body);
    if (redirects === MAX_REDIRECTS) return `the video host redirects more than ${MAX_REDIRECTS} times`;
    const location = header(headers, 'location') ?? '';
    const next: URL | null =
      location !== '' && URL.canParse(location, target.href) ? new URL(location, target) : null;
    if (target.protocol === 'https:' && next?.protocol === 'http:') {
      return 'the video host redirects from https to http';
    }
    target = next;
  }
}

function read({ statusCode: status, headers, body }: Response, method: VideoRequest['method']): VideoAnswer {
  const isHead = method === 'HEAD';
  if (status === 200 || status === 206) {
    const passed = passedOn(headers);
    if (!isHead) return { kind: 'ok', status, headers: passed, body };
    discard(body);
    const whole = status === 200 ? passed : wholeOf(passed);
    return { kind: 'ok', status: 200, headers: whole, body: Readable.from([]) };
  }
  discard(body);
  if (status === 416 && !isHead) {
    return { kind: 'range-not-satisfiable', contentRange: header(headers, 'content-range') ?? null };
  }
  return EXPIRED.has(status) ? { kind: 'expired' } : unavailable(`the video host answered ${status}`);
}

function passedOn(headers: AnswerHeaders): VideoHeaders {
  const passed: VideoHeaders = {};
  for (const name of PASSED_ON) {
    const value = header(headers, name);
    if (value !== undefined) passed[name] = value;
  }
  if (!/^video\//i.test(passed['content-type'] ?? '')) delete passed['content-type'];
  return passed;
}

/** The headers of all of it, from those of a part. */
function wholeOf({
  'content-range': range,
  'content-length': _part,
  ...headers
}: VideoHeaders): VideoHeaders {
  const size = /^bytes \d+-\d+\/(\d+)$/i.exec(range ?? '')?.[1];
  return { 'accept-ranges': 'bytes', ...headers, ...(size !== undefined && { 'content-length': size }) };
}

/** Not of interest, however long. */
function discard(body: Readable): void {
  body.on('error', () => {}).destroy();
}

function unavailable(reason: string): VideoAnswer {
  return { kind: 'unavailable', reason };
}
