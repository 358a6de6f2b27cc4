import type { Fetched } from '../domain/media/fetched.js';
import { unreachable } from './fetched.js';

/** Response headers as undici gives them: lower-case names, an array where one came more than once. */
type Headers = Readonly<Record<string, string | string[] | undefined>>;

/** What the head of an answer makes of it. */
export type Head =
  | Fetched
  | { readonly kind: 'redirect'; readonly location: string }
  /** A body of exactly `sizeBytes`, where that is known, is the whole file. */
  | { readonly kind: 'body'; readonly sizeBytes: number | null };

const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/** The head of an answer to a request for the first `maxBytes + 1` bytes. */
export function readHead(status: number, headers: Headers, maxBytes: number): Head {
  if (REDIRECTS.has(status)) {
    const { location } = headers;
    if (typeof location === 'string') return { kind: 'redirect', location };
    return unreachable(`the host answered ${status} without saying where the file is`);
  }
  if (status === 416 && headers['content-range'] === 'bytes */0') {
    // RFC 9110, 14.1.2: no range of an empty file can be given.
    return { kind: 'bytes', bytes: Buffer.alloc(0) };
  }
  if (status !== 200 && status !== 206) return unreachable(`the host answered ${status}`);
  if (isEncoded(headers)) return unreachable('the host encoded it (compression is not taken)');
  const sizeBytes = status === 206 ? sizeOfRange(headers['content-range'], maxBytes) : lengthOf(headers);
  if (typeof sizeBytes === 'string') return unreachable(sizeBytes);
  if (sizeBytes !== null && sizeBytes > maxBytes) return { kind: 'too-large', bytes: sizeBytes };
  return { kind: 'body', sizeBytes };
}

function isEncoded(headers: Headers): boolean {
  const content = headers['content-encoding'] ?? 'identity';
  const transfer = headers['transfer-encoding'] ?? 'chunked';
  return !/^\s*(identity)?\s*$/i.test(String(content)) || !/^\s*chunked\s*$/i.test(String(transfer));
}

function lengthOf(headers: Headers): number | null {
  const length = headers['content-length'];
  return typeof length === 'string' && /^\d{1,15}$/.test(length) ? Number(length) : null;
}

/** The size of the file, or why the range is neither all of it nor enough to see that it is too large. */
function sizeOfRange(range: Headers[string], maxBytes: number): number | string {
  const found = /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15}|\*)$/i.exec(String(range));
  if (found === null) return 'the host answered 206 without saying which part of the file it gives';
  const [, first, last, total] = found;
  if (Number(first) !== 0) return 'the host gave another part of the file than was asked for';
  const given = Number(last) + 1;
  if (total === '*') return given > maxBytes ? given : 'the host gave a part of the file and not its size';
  if (Number(total) <= maxBytes && given !== Number(total)) return 'the host gave only a part of the file';
  return Number(total);
}
