/** One request on a connection of its own, so that nothing but the caller ever sends it again. */

import { request } from 'node:http';

export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** The body where it is JSON. */
  readonly body: unknown;
}

export interface SendOptions {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Hangs up after so many ms. */
  readonly timeoutMs?: number;
}

/** Rejects where no whole answer came. */
export function send(
  url: string,
  { method = 'GET', headers = {}, body, timeoutMs = 10_000 }: SendOptions = {},
): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const length: Record<string, string> =
      body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) };
    const sent = request(url, { method, agent: false, headers: { ...headers, ...length } }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.on('error', reject);
      answer.on('close', () => reject(new Error('the answer was cut short')));
      answer.on('end', () => {
        if (!answer.complete) return;
        resolve({
          status: answer.statusCode ?? 0,
          headers: answer.headers,
          body: parse(Buffer.concat(chunks).toString()),
        });
      });
    });
    const timer = setTimeout(() => sent.destroy(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
    sent.on('error', reject);
    sent.on('close', () => {
      clearTimeout(timer);
      reject(new Error('the connection ended without an answer'));
    });
    sent.end(body);
  });
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
