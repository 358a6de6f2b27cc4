/** All that can go wrong upstream and with what callers send, with an upstream that repeats the key it was sent. */

import type { Test } from 'tap';
import { example } from '../../src/http/schemas/examples.js';
import type { FaultAction, Simulator } from '../simulator/simulator.js';
import { until } from '../support/until.js';

/** With characters that mean something in a URL, in JSON, in a regular expression and in a replacement. */
export const API_KEY = 'mx+S3cr3t/"$&=\\.*e2e-0123456789';

const ECHO = { message: `Rejected: Authorization: Bearer ${API_KEY} (key=${API_KEY})` };
const ECHO_HEADERS = { 'x-echo': API_KEY, 'www-authenticate': `Bearer realm="${API_KEY}"` };

const refusing = (status: number): FaultAction => ({
  status,
  headers: ECHO_HEADERS,
  body: { code: status, data: { echo: API_KEY }, ...ECHO },
});

/** One avatar each. */
const SUBMIT_FAULTS: readonly FaultAction[] = [
  ...[400, 404, 408, 409, 413, 422, 429, 500, 503].map(refusing),
  { status: 302, headers: { location: `https://elsewhere.test/?key=${encodeURIComponent(API_KEY)}` } },
  { status: 200, body: { code: 7, data: {}, ...ECHO } },
  { status: 200, body: `{"code":0,"message":"${API_KEY}` },
  { status: 200, body: { code: 0, data: { task_id: null, echo: API_KEY }, ...ECHO } },
  { reset: 'request' },
  { reset: 'head' },
  { reset: 'mid-head' },
  { close: 'mid-body' },
];
const QUERY_FAULTS: readonly FaultAction[] = [
  ...[429, 500].map(refusing),
  { patch: { data: { status: `unheard of ${API_KEY}` } } },
  { patch: { data: { status: 'failed', error: ECHO.message } } },
  { patch: { data: { status: 'failed', error: ECHO } } },
  { patch: { ...ECHO, data: { status: 'failed' } } },
  { status: 200, body: `${API_KEY}` },
  { reset: 'mid-body' },
];
const VIDEO_FAULTS: readonly FaultAction[] = [
  refusing(403),
  refusing(500),
  { status: 307, headers: { location: `https://elsewhere.test/?key=${encodeURIComponent(API_KEY)}` } },
  { reset: 'head' },
  { reset: 'mid-body' },
];

/** A caller that keeps every byte it is answered. */
export class Caller {
  readonly heard: string[] = [];
  readonly #url: string;

  constructor(url: string) {
    this.#url = url;
  }

  async call(method: string, path: string, body?: string): Promise<{ status: number; text: string }> {
    const headers: Record<string, string> = body === undefined ? {} : { 'content-type': 'application/json' };
    const response = await fetch(`${this.#url}${path}`, {
      method,
      headers,
      redirect: 'manual',
      ...(body === undefined ? {} : { body }),
    });
    const text = await response.text().catch((error: Error) => error.message);
    const head = [...response.headers].map(([name, value]) => `${name}: ${value}`);
    this.heard.push([`${response.status} ${response.statusText}`, ...head, text].join('\n'));
    return { status: response.status, text };
  }

  create(): Promise<{ status: number; text: string }> {
    return this.call('POST', '/avatars', JSON.stringify(example));
  }
}

type Known = { readonly links: { readonly self: string; readonly video: string }; readonly task_id: string };

/** A new avatar once it has a task; it may have to wait for that. */
async function submitted(caller: Caller): Promise<Known> {
  const { links } = JSON.parse((await caller.create()).text) as Known;
  return until('it has a task', async () => {
    const avatar = JSON.parse((await caller.call('GET', links.self)).text) as Known;
    return avatar.task_id === null ? null : avatar;
  });
}

/** What has the key rest is under way together, and comes last: after it, nothing is sent for a while. */
async function rejections(simulator: Simulator, caller: Caller): Promise<void> {
  const { task_id: task } = await submitted(caller);
  const faults = [
    simulator.inject({ on: 'query', task, do: { ...refusing(401), hold: true } }),
    ...[401, 402].map((status) =>
      simulator.inject({ on: 'submit', do: { ...refusing(status), hold: true } }),
    ),
  ];
  const created = [caller.create(), caller.create()];
  await Promise.all(faults.map(({ met }) => met));
  for (const fault of faults) fault.release();
  await Promise.all(created);
}

/** Everything that can go wrong upstream, and with what callers send. Leaves avatars in all sorts of states. */
export async function misfortunes(t: Test, simulator: Simulator, caller: Caller): Promise<void> {
  for (const action of SUBMIT_FAULTS) {
    simulator.inject({ on: 'submit', when: 'before', do: action });
    const { status } = await caller.create();
    t.ok(status === 202 || status >= 400, `${JSON.stringify(action).slice(0, 60)} -> ${status}`);
  }
  simulator.clearFaults();

  for (const action of QUERY_FAULTS) {
    const { links, task_id: task } = await submitted(caller);
    simulator.inject({ on: 'query', task, do: action });
    await until('it is looked at', async () => {
      const looked = simulator
        .calls('query')
        .some(({ taskId, endedAt }) => taskId === task && endedAt !== null);
      return looked ? true : null;
    });
    await caller.call('GET', links.self);
  }

  const { links } = await submitted(caller);
  await until('there is a video', async () => {
    const avatar = JSON.parse((await caller.call('GET', links.self)).text) as { status: string };
    return avatar.status === 'succeeded' ? true : null;
  });
  for (const action of VIDEO_FAULTS) {
    simulator.inject({ on: 'result', when: 'before', do: action });
    await caller.call('GET', links.video);
  }
  await caller.call('GET', `${links.video}?redirect=true`);
  await rejections(simulator, caller);

  for (const body of [
    '{"image"',
    JSON.stringify(example).slice(0, -2),
    '[]',
    JSON.stringify({ ...example, prompt: 7 }),
  ]) {
    await caller.call('POST', '/avatars', body);
  }
  await caller.call('POST', '/avatars', JSON.stringify({ ...example, image: example.image.slice(0, 4000) }));
  for (const path of [
    '/',
    '/docs',
    '/openapi.json',
    '/livez',
    '/readyz',
    '/metrics',
    `/avatars/${API_KEY.length}`,
  ]) {
    await caller.call('GET', path);
  }
}
