import type { Readable } from 'node:stream';
import type { Agent } from 'undici';
import { wordsFor } from './exchange.js';
import { type AnswerHeaders, header } from './text.js';

/** What of the video host's answer is passed on; everything else stays behind. */
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
  /** 403, 404 or 410: the signed URL or the file behind it has expired. */
  | { readonly kind: 'gone' }
  | { readonly kind: 'unavailable'; readonly reason: string };

export interface VideoRequest {
  readonly range?: string | undefined;
  readonly ifRange?: string | undefined;
  readonly method: 'GET' | 'HEAD';
  /** The caller's: cancels the request, and the body while it is read. */
  readonly signal: AbortSignal;
}

/**
 * The bytes of a result. Result URLs may sit on any host of the vendor's (contract, "Query"), so nothing
 * of ours goes along but the range; a redirect is not followed and no reason holds the signed URL.
 */
export async function fetchVideo(
  agent: Agent,
  url: string,
  { range, ifRange, method, signal }: VideoRequest,
  { userAgent, timeoutMs }: { readonly userAgent: string; readonly timeoutMs: number },
): Promise<VideoAnswer> {
  const target = URL.canParse(url) ? new URL(url) : null;
  if (target === null || !/^https?:$/.test(target.protocol)) {
    return { kind: 'unavailable', reason: "the video's URL is not http(s)" };
  }
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
  try {
    const answer = await agent.request({
      origin: target.origin,
      path: target.pathname + target.search,
      method,
      headers: {
        'user-agent': userAgent,
        'accept-encoding': 'identity',
        ...(range === undefined ? {} : { range }),
        ...(ifRange === undefined ? {} : { 'if-range': ifRange }),
      },
      headersTimeout: timeoutMs,
      bodyTimeout: timeoutMs,
      signal: stop.signal,
    });
    answer.body.once('close', release);
    return read(answer.statusCode, answer.headers, answer.body);
  } catch (error) {
    release();
    if (signal.aborted) return { kind: 'unavailable', reason: 'canceled by the caller' };
    if (late) return { kind: 'unavailable', reason: `no answer within ${timeoutMs} ms` };
    return { kind: 'unavailable', reason: wordsFor(error) };
  } finally {
    clearTimeout(timer);
  }
}

function read(status: number, headers: AnswerHeaders, body: Readable): VideoAnswer {
  if (status === 200 || status === 206) {
    const passed: VideoHeaders = {};
    for (const name of PASSED_ON) {
      const value = header(headers, name);
      if (value !== undefined) passed[name] = value;
    }
    return { kind: 'ok', status, headers: passed, body };
  }
  body.on('error', () => {}).destroy(); // not of interest, however long
  if (status === 416) {
    return { kind: 'range-not-satisfiable', contentRange: header(headers, 'content-range') ?? null };
  }
  if (status === 403 || status === 404 || status === 410) return { kind: 'gone' };
  const how = status >= 300 && status < 400 ? ' (a redirect is not followed)' : '';
  return { kind: 'unavailable', reason: `the video host answered ${status}${how}` };
}
