/** Requests as Modellix's clients make them, and answers as they read them. */

import type { Test } from 'tap';
import { SUBMIT_PATHS } from '../../simulator/simulator.js';

export const [FIRST_PATH = ''] = SUBMIT_PATHS;

export interface Envelope {
  readonly code: number;
  readonly message: string;
  readonly data: Readonly<Record<string, unknown>>;
}

export function submitTask(
  url: string,
  body: unknown,
  { path = FIRST_PATH, headers = {} }: { path?: string; headers?: Record<string, string> } = {},
): Promise<Response> {
  return fetch(url + path, {
    method: 'POST',
    headers: { authorization: 'Bearer a-key-of-the-caller', 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
}

/** The data of an answer that is no refusal. */
export async function dataOf(t: Test, response: Response): Promise<Envelope['data']> {
  const envelope = (await response.json()) as Envelope;
  t.match({ status: response.status, ...envelope }, { status: 200, code: 0, message: 'success' });
  return envelope.data;
}

export async function readTask(t: Test, url: string, id: unknown): Promise<Envelope['data']> {
  return dataOf(t, await fetch(`${url}/api/v1/tasks/${id}`));
}

/** Checks that an answer is a refusal and nothing but that, and gives its message. */
export async function refused(t: Test, response: Response, status: number, name: string): Promise<string> {
  const text = await response.text();
  t.equal(response.status, status, `${name}: ${text}`);
  t.equal(response.headers.get('content-type'), 'application/json; charset=utf-8', name);
  t.ok(response.headers.get('x-request-id'), name);
  const { message, ...rest } = JSON.parse(text) as Envelope;
  t.strictSame(rest, { code: status, data: {} }, name);
  t.match(message, /^[A-Z][a-z -]+: \S.*[^.]$/, `${name}: a category and a detail`);
  return message;
}
