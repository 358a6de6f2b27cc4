/** Requests as Modellix's clients make them, and answers as they read them. */

import type { Test } from 'tap';
import { SUBMIT_PATHS } from '../../simulator/simulator.js';
import type { RunningApp } from '../../support/app.js';
import { URLS } from '../../support/requests.js';
import { until } from '../../support/until.js';

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

/** A task of a caller that has succeeded: its id, and the link to its video. */
export async function finishedTask(
  t: Test,
  app: RunningApp,
  headers: Record<string, string>,
): Promise<{ id: string; link: string }> {
  const submitted = await dataOf(t, await submitTask(app.url, URLS, { headers }));
  const id = String(submitted.task_id);
  const avatar = await (await fetch(`${app.url}/avatars/${id}`, { headers })).json();
  app.simulator.settle(String((avatar as { task_id: string }).task_id), { end: 'success' });
  return until('success', async () => {
    const task = await dataOf(t, await fetch(`${app.url}/api/v1/tasks/${id}`, { headers }));
    const { resources = [] } = (task.result ?? {}) as { resources?: { url: string }[] };
    const [resource] = resources;
    return resource === undefined ? null : { id, link: resource.url };
  });
}
