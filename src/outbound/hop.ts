import type { Fetched } from '../domain/media/fetched.js';
import { type Head, readHead } from './answer.js';
import { connectionTo } from './connection.js';
import { AddressNotAllowedError, type Guard, NOT_PUBLIC } from './connector.js';
import { unreachable } from './fetched.js';
import { wordsFor } from './words.js';

export interface HopOptions extends Guard {
  readonly maxBytes: number;
  readonly userAgent: string;
  /** Asked before so many bytes of the file are held. */
  readonly hasRoom: (bytes: number) => boolean;
  /** Cuts it off; its reason, a string, goes to the caller. */
  readonly signal: AbortSignal;
}

/** One GET; never throws. Nothing of ours goes along but the name of the software. */
export async function hop(url: URL, options: HopOptions): Promise<Exclude<Head, { kind: 'body' }>> {
  const { maxBytes, userAgent, hasRoom, signal } = options;
  const { client, reset } = connectionTo(url, options, signal);
  try {
    const answer = await client.request({
      method: 'GET',
      path: url.pathname + url.search,
      headers: { 'user-agent': userAgent, 'accept-encoding': 'identity', range: `bytes=0-${maxBytes}` },
      reset: true,
      headersTimeout: 0,
      bodyTimeout: 0,
    });
    answer.body.on('error', () => {}); // also where it is left unread
    const head = readHead(answer.statusCode, answer.headers, maxBytes);
    if (head.kind !== 'body') return head;
    const bytes = await readBody(answer.body, head.sizeBytes ?? maxBytes, hasRoom);
    if (bytes === 'no-room') return { kind: 'no-room' };
    // To undici a reset is an end like any other where nothing but the end of the connection ends the body.
    const broken = reset();
    if (broken !== null && head.sizeBytes === null) throw broken;
    return fileFrom(bytes, head.sizeBytes, maxBytes);
  } catch (error) {
    if (signal.aborted) return unreachable(String(signal.reason));
    if (error instanceof AddressNotAllowedError) return { kind: 'not-allowed', detail: NOT_PUBLIC };
    return unreachable(wordsFor(error));
  } finally {
    void client.destroy();
  }
}

/** `null` where it is longer than `capacity`; the rest is then left unread, and likewise where there is no room. */
async function readBody(
  body: AsyncIterable<Buffer>,
  capacity: number,
  hasRoom: HopOptions['hasRoom'],
): Promise<Buffer | 'no-room' | null> {
  // Not zeroed, so that memory is taken up as bytes arrive, and there is never a second copy of them.
  const buffer = Buffer.allocUnsafeSlow(capacity);
  let length = 0;
  for await (const chunk of body) {
    if (length + chunk.length > capacity) return null;
    if (!hasRoom(length + chunk.length)) return 'no-room';
    length += chunk.copy(buffer, length);
  }
  return buffer.subarray(0, length);
}

function fileFrom(bytes: Buffer | null, sizeBytes: number | null, maxBytes: number): Fetched {
  if (bytes !== null && (sizeBytes === null || bytes.length === sizeBytes)) return { kind: 'bytes', bytes };
  if (sizeBytes === null) return { kind: 'too-large', bytes: maxBytes + 1 };
  return unreachable('the answer is not as long as it says');
}
