import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import {
  DEFAULT_KEY,
  type Fault,
  type SettingsPatch,
  type Simulator,
  type SimulatorOptions,
  SUBMIT_PATHS,
  startSimulator,
} from './simulator/simulator.js';
import { isObject } from './simulator/wire.js';
import { argsFor } from './support/build.js';

const portrait = readFileSync(new URL('./demo/portrait.jpg', import.meta.url));
const speech = readFileSync(new URL('./demo/speech.mp3', import.meta.url));
const video = readFileSync(new URL('./simulator/result.mp4', import.meta.url));
const GOOD = { image: portrait.toString('base64'), sound_file: speech.toString('base64') };
const URLS = { image: 'https://example.com/a.jpg', sound_file: 'https://example.com/a.mp3' };
const SUBMIT_PATH = SUBMIT_PATHS[0] ?? '';

async function started(t: Test, options: SimulatorOptions = {}): Promise<Simulator> {
  const simulator = await startSimulator(options);
  t.teardown(() => simulator.close());
  return simulator;
}

interface Reply {
  status: number;
  headers: Headers;
  text: string;
  code: unknown;
  message: string;
  data: Record<string, unknown>;
}

async function call(
  simulator: Simulator,
  path: string,
  { key = DEFAULT_KEY, ...init }: RequestInit & { key?: string | null } = {},
): Promise<Reply> {
  const response = await fetch(new URL(path, simulator.url), {
    redirect: 'manual',
    ...init,
    headers: { ...(key === null ? {} : { authorization: `Bearer ${key}` }), ...init.headers },
  });
  const text = await response.text();
  const isJson = response.headers.get('content-type')?.startsWith('application/json') && text.endsWith('}');
  const body: unknown = isJson ? JSON.parse(text) : {};
  const { code, message, data } = isObject(body) ? body : {};
  return {
    status: response.status,
    headers: response.headers,
    text,
    code,
    message: String(message),
    data: isObject(data) ? data : {},
  };
}

function submit(
  simulator: Simulator,
  body: unknown = URLS,
  init: RequestInit & { key?: string | null } = {},
) {
  return call(simulator, SUBMIT_PATH, {
    method: 'POST',
    body: typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body),
    ...init,
    headers: { 'content-type': 'application/json', ...init.headers },
  });
}

async function made(simulator: Simulator, body: unknown = URLS): Promise<string> {
  const { data } = await submit(simulator, body);
  return String(data.task_id);
}

const query = (simulator: Simulator, taskId: string, key?: string) =>
  call(simulator, `/api/v1/tasks/${taskId}`, key === undefined ? {} : { key });

function resourceOf(data: Record<string, unknown>): Record<string, unknown> {
  const resources = isObject(data.result) ? data.result.resources : undefined;
  const first: unknown = Array.isArray(resources) ? resources[0] : undefined;
  return isObject(first) ? first : {};
}

/** A PCM file of so many seconds. */
function wav(seconds: number): string {
  const rate = 800;
  const samples = Buffer.alloc(Math.round(rate * seconds), 128);
  const head = Buffer.alloc(44);
  head.write('RIFF', 0);
  head.writeUInt32LE(36 + samples.length, 4);
  head.write('WAVEfmt ', 8);
  head.writeUInt32LE(16, 16);
  head.writeUInt16LE(1, 20);
  head.writeUInt16LE(1, 22);
  head.writeUInt32LE(rate, 24);
  head.writeUInt32LE(rate, 28);
  head.writeUInt16LE(1, 32);
  head.writeUInt16LE(8, 34);
  head.write('data', 36);
  head.writeUInt32LE(samples.length, 40);
  return Buffer.concat([head, samples]).toString('base64');
}

/** As much of a PNG as its size takes, and an end. */
function png(width: number, height: number, padding = 0): string {
  const head = Buffer.from('89504e470d0a1a0a0000000d4948445200000000000000000806000000', 'hex');
  head.writeUInt32BE(width, 16);
  head.writeUInt32BE(height, 20);
  return Buffer.concat([head, Buffer.alloc(4 + padding), Buffer.from('IEND')]).toString('base64');
}

t.test('what a task is billed at', async (t) => {
  const simulator = await started(t, { settings: { prices: { std: 0.1 }, taskMs: { min: 0, max: 0 } } });
  const body = { ...URLS, sound_file: wav(2) };
  const billing = async () => (await query(simulator, await made(simulator, body))).data.billing;
  t.strictSame(await billing(), { status: 'succeeded', amount: '0.2000' });
  simulator.configure({ billing: 'malformed' });
  t.strictSame(await billing(), { status: 'succeeded', amount: '0.2 dollars' });
  simulator.configure({ billing: 'absent' });
  t.equal(await billing(), undefined);

  simulator.configure({ billing: 'amount', taskMs: { max: 60_000 } });
  const failed = async (billed: boolean) => {
    const taskId = await made(simulator, body);
    simulator.settle(taskId, { end: 'failed', billed });
    return (await query(simulator, taskId)).data;
  };
  t.match(await failed(true), { status: 'failed', billing: { amount: '0.2000' } });
  t.notOk('billing' in (await failed(false)));
});

t.test('a task from submit to video, by a clock of the test', async (t) => {
  let now = Date.now();
  const simulator = await started(t, { now: () => now, settings: { taskMs: { min: 1000, max: 1000 } } });
  const body = JSON.stringify({ ...GOOD, prompt: 'waves', mode: 'pro' });
  const answer = await submit(simulator, body, { headers: { 'x-request-id': 'r1' } });
  const taskId = String(answer.data.task_id);
  t.equal(answer.status, 200);
  t.match(JSON.parse(answer.text), {
    code: 0,
    message: 'success',
    data: {
      status: 'pending',
      task_id: /^task-/,
      model_id: 'kling-avatar',
      get_result: { method: 'GET', url: `${simulator.url}/api/v1/tasks/${taskId}` },
    },
  });
  t.match(simulator.ledger(), [
    {
      taskId,
      key: DEFAULT_KEY,
      at: now,
      prompt: 'waves',
      mode: 'pro',
      image: 'inline',
      audio: 'inline',
      path: SUBMIT_PATH,
      sha256: createHash('sha256').update(body).digest('hex'),
      headers: { 'x-request-id': 'r1' },
    },
  ]);
  t.equal((await query(simulator, taskId)).data.status, 'pending');
  now += 500;
  t.equal((await query(simulator, taskId)).data.status, 'processing');
  now += 500;
  const done = await query(simulator, taskId);
  t.match(done.data, {
    status: 'success',
    duration: 1000,
    billing: { status: 'succeeded', amount: /^0\.\d{4}$/ },
  });
  t.equal(done.data.result_expires_at, now + 7 * 24 * 3_600_000);
  const resource = resourceOf(done.data);
  t.match(resource, { type: 'video', format: 'mp4', role: 'primary', size: video.length, width: 720 });
  const response = await fetch(String(resource.url));
  t.equal(response.headers.get('content-type'), 'video/mp4');
  t.ok(Buffer.from(await response.arrayBuffer()).equals(video));
  t.match(simulator.calls('result'), [{ authorization: false, taskId, status: 200 }]);

  now += 7 * 24 * 3_600_000;
  t.equal((await fetch(String(resource.url))).status, 403, 'expired');
});

t.test('all submit paths lead to the same, and the account can be asked for', async (t) => {
  const simulator = await started(t, { settings: { concurrency: 9, teams: { team: { balance: 5 } } } });
  for (const path of SUBMIT_PATHS) {
    const headers = { 'content-type': 'application/json' };
    const answer = await call(simulator, path, { method: 'POST', body: JSON.stringify(URLS), headers });
    t.equal(answer.code, 0, path);
  }
  t.equal(simulator.ledger().length, 3);
  t.match((await call(simulator, '/api/v1/apikey/validate')).data, { is_valid: true });
  const foreign = await call(simulator, '/api/v1/apikey/validate', { key: 'nobody' });
  t.match(foreign, { status: 200, data: { is_valid: false } });
  const { data } = await call(simulator, '/api/v1/team/balance');
  t.ok(Number(data.balance) < 5 && Number(data.balance) > 4);
});

t.test('who may call, and what', async (t) => {
  const simulator = await started(t, { settings: { keys: { other: { team: 'b', valid: true } } } });
  t.match(await submit(simulator, URLS, { key: null }), { status: 401, code: 401 });
  t.match(await submit(simulator, URLS, { key: 'wrong' }), { message: /^Authentication failed: / });
  const taskId = await made(simulator);
  t.match(await query(simulator, taskId, 'other'), { status: 404, code: 404, message: /not found/ });
  t.match(await query(simulator, 'task-none'), { status: 404 });
  t.match(await call(simulator, '/api/v1/else'), { status: 404 });
  const wrong = await call(simulator, SUBMIT_PATH);
  t.match([wrong.status, wrong.headers.get('allow')], [405, 'POST']);
  simulator.configure({ teams: { team: { balance: 0 } } });
  t.match(await submit(simulator), { status: 402, code: 402 });
  simulator.configure({ keys: { [DEFAULT_KEY]: { valid: false } } });
  t.match(await submit(simulator), { status: 401 });
});

t.test('what is sent is checked strictly', async (t) => {
  const simulator = await started(t, { settings: { callsPerMinute: 1000, concurrency: 100 } });
  const refusedBodies: [string, unknown, RegExp][] = [
    ['empty', '', /^Invalid format: /],
    ['not an object', '[]', /^Invalid parameters: /],
    ['not UTF-8', Buffer.from('7b22ff227d', 'hex'), /^Invalid format: /],
    ['no image', { sound_file: 'https://a.b/c' }, /^Missing required parameter: image/],
    ['no audio', { image: 'https://a.b/c' }, /^Missing required parameter: audio_id or sound_file/],
    ['both audios', { ...URLS, audio_id: 'a' }, /^Invalid parameters: audio_id and sound_file/],
    ['unknown member', { ...URLS, seed: 1 }, /^Invalid parameters: unknown parameter seed/],
    ['not a string', { ...URLS, prompt: 1 }, /^Invalid parameters: prompt must be a string/],
    ['null', { ...URLS, prompt: null }, /^Invalid parameters: prompt/],
    ['empty prompt', { ...URLS, prompt: '' }, /^Value out of range: prompt/],
    ['long prompt', { ...URLS, prompt: 'x'.repeat(2501) }, /^Value out of range: prompt/],
    ['mode', { ...URLS, mode: 'PRO' }, /^Invalid parameters: mode/],
    ['data prefix', { ...URLS, image: `data:image/jpeg;base64,${GOOD.image}` }, /data: prefix/],
    ['other scheme', { ...URLS, image: 'ftp://a.b/c' }, /not a valid URL/],
    ['user info', { ...URLS, image: 'https://u:p@a.b/c' }, /not a valid URL/],
    ['no host', { ...URLS, image: 'https://' }, /not a valid URL/],
    ['not base64', { ...URLS, image: 'hällo' }, /neither a URL nor valid base64/],
    ['no padding', { ...URLS, image: `${GOOD.image}A` }, /neither a URL nor valid base64/],
    ['a GIF', { ...URLS, image: Buffer.from('GIF89a'.padEnd(60)).toString('base64') }, /JPG, JPEG or PNG/],
    ['truncated', { ...URLS, image: portrait.subarray(0, 30_000).toString('base64') }, /truncated/],
    ['299 px', { ...URLS, image: png(300, 299) }, /^Value out of range: image/],
    ['ratio', { ...URLS, image: png(2501, 1000) }, /aspect ratio/],
    ['10 MB', { ...URLS, image: png(300, 300, 10 * 1024 * 1024) }, /larger than 10 MB/],
    ['text as audio', { ...URLS, sound_file: Buffer.from('hello there').toString('base64') }, /mp3, wav/],
    ['1.9 s', { ...URLS, sound_file: wav(1.9) }, /^Value out of range: sound_file/],
    ['300.1 s', { ...URLS, sound_file: wav(300.1) }, /^Value out of range: sound_file/],
    ['5 MB', { ...URLS, sound_file: Buffer.alloc(5_242_881).toString('base64') }, /larger than 5 MB/],
  ];
  for (const [name, body, message] of refusedBodies) {
    t.match(await submit(simulator, body), { status: 400, code: 400, message, data: {} }, name);
  }
  const plain = await submit(simulator, URLS, { headers: { 'content-type': 'text/plain' } });
  t.equal(plain.status, 415);
  t.equal((await submit(simulator, Buffer.alloc(27 * 1024 * 1024, ' '))).status, 413);
  t.same(simulator.ledger(), [], 'no task was made');

  for (const body of [
    GOOD,
    { image: URLS.image, audio_id: 'tts-1' },
    { ...URLS, prompt: '😀'.repeat(2500), mode: 'std' },
    { image: png(2500, 1000, 9 * 1024 * 1024), sound_file: wav(2) },
    { ...URLS, sound_file: wav(300) },
  ]) {
    t.match(await submit(simulator, body), { status: 200, code: 0 });
  }
});

t.test('calls a minute, for each key', async (t) => {
  let now = 1_000_000;
  const keys = { other: { team: 'b', valid: true } };
  const settings = { callsPerMinute: 2, callsPerMinuteOverall: 3, retryAfterShare: 1, keys };
  const simulator = await started(t, { now: () => now, settings });
  const first = await query(simulator, 'task-x');
  t.equal(first.headers.get('x-ratelimit-limit'), '2');
  t.equal(first.headers.get('x-ratelimit-remaining'), '1');
  t.equal(first.headers.get('x-ratelimit-reset'), '1060');
  t.equal((await submit(simulator)).status, 200, 'both kinds of call count');
  const limited = await submit(simulator);
  t.match(limited, { status: 429, code: 429, message: /^Rate limit exceeded: / });
  t.match([limited.headers.get('x-ratelimit-remaining'), limited.headers.get('retry-after')], ['0', '60']);
  simulator.configure({ retryAfterShare: 0 });
  t.equal((await submit(simulator)).headers.get('retry-after'), null);
  t.equal((await query(simulator, 'task-x', 'other')).status, 404, 'another key has its own');
  t.equal((await query(simulator, 'task-x', 'other')).status, 429, 'but for the limit over all');
  now += 60_000;
  t.equal((await submit(simulator)).status, 200);
  t.equal(simulator.ledger().length, 2);
});

t.test('unfinished tasks, for a whole team', async (t) => {
  const keys = { mate: { team: 'team', valid: true }, other: { team: 'b', valid: true } };
  const simulator = await started(t, { settings: { concurrency: 2, keys } });
  const first = await made(simulator);
  await submit(simulator, URLS, { key: 'mate' });
  const limited = await submit(simulator);
  t.match(limited, { status: 429, message: /^Concurrent limit exceeded/ });
  t.ok(limited.headers.has('x-ratelimit-reset'));
  t.equal((await submit(simulator, URLS, { key: 'other' })).status, 200);
  simulator.settle(first, { end: 'success' });
  t.equal((await submit(simulator)).status, 200);
});

t.test('a long poll ends with the task, and at its bound', async (t) => {
  const simulator = await started(t, { settings: { taskMs: { min: 60_000, max: 60_000 } } });
  const taskId = await made(simulator);
  const arrived = simulator.nextCall('query');
  const polled = call(simulator, `/api/v1/tasks/${taskId}?wait=true`);
  await arrived;
  simulator.settle(taskId, { end: 'success' });
  t.equal((await polled).data.status, 'success');
  simulator.settle(taskId, { end: 'never' });
  simulator.configure({ longPollMs: 5 });
  t.equal((await call(simulator, `/api/v1/tasks/${taskId}?wait=true`)).data.status, 'processing');
});

t.test('how a task fails, and where the reason is put', async (t) => {
  const simulator = await started(t, { settings: { callsPerMinute: 1000 } });
  const taskId = await made(simulator);
  const reason = 'no face';
  simulator.settle(taskId, { end: 'failed', reason });
  t.match((await query(simulator, taskId)).data, { status: 'failed', error: reason });
  simulator.settle(taskId, { end: 'failed', reason, place: 'error-object' });
  t.match((await query(simulator, taskId)).data, { error: { message: reason } });
  simulator.settle(taskId, { end: 'failed', reason, place: 'message' });
  t.match((await query(simulator, taskId)).data, { message: reason });
  simulator.settle(taskId, { end: 'failed', reason, place: 'envelope' });
  t.match(await query(simulator, taskId), { code: 0, message: reason, data: { status: 'failed' } });
  simulator.forget(taskId);
  t.equal((await query(simulator, taskId)).status, 404);
  simulator.configure({ failureRate: 1, taskMs: { min: 0, max: 0 }, failureReasons: ['a', 'b'] });
  const reasons = new Set<unknown>();
  while (reasons.size < 2) {
    const { data } = await query(simulator, await made(simulator));
    t.equal(data.status, 'failed');
    reasons.add(data.error);
  }
  t.same([...reasons].sort(), ['a', 'b']);
  const canceled = await made(simulator);
  simulator.settle(canceled, { end: 'canceled' });
  t.strictSame((await query(simulator, canceled)).data, {
    status: 'canceled',
    task_id: canceled,
    model_id: 'kling-avatar',
  });
});

t.test('the path of the submit moves', async (t) => {
  const simulator = await started(t, { settings: { submitPaths: SUBMIT_PATHS.slice(1) } });
  t.match(await submit(simulator), { status: 404, code: 404, message: /^Model not found: / });
  t.equal(simulator.calls('submit').length, 1, 'it is entered as a submit');
  const patch = { method: 'PATCH', body: JSON.stringify({ submitPaths: [SUBMIT_PATH] }) };
  t.equal((await fetch(`${simulator.url}/_control/settings`, patch)).status, 200);
  t.match(await submit(simulator), { status: 200, code: 0 });
});

t.test('a result is served in ranges, and with a good signature only', async (t) => {
  const simulator = await started(t, { settings: { taskMs: { min: 0, max: 0 } } });
  const url = String(resourceOf((await query(simulator, await made(simulator))).data).url);
  const size = video.length;
  const get = (range: string) => fetch(url, { headers: { range } });

  t.equal((await fetch(url, { method: 'HEAD' })).status, 403, 'it is signed for GET alone');
  const middle = await get('bytes=10-19');
  t.match([middle.status, middle.headers.get('content-range')], [206, `bytes 10-19/${size}`]);
  t.ok(Buffer.from(await middle.arrayBuffer()).equals(video.subarray(10, 20)));
  const open = await get(`bytes=${size - 5}-`);
  t.ok(Buffer.from(await open.arrayBuffer()).equals(video.subarray(-5)));
  const last = await get('bytes=-7');
  t.ok(Buffer.from(await last.arrayBuffer()).equals(video.subarray(-7)));
  const beyond = await get(`bytes=${size}-`);
  t.match([beyond.status, beyond.headers.get('content-range')], [416, `bytes */${size}`]);
  t.equal((await get('bytes=0-1,5-6')).status, 200, 'several ranges are ignored');
  t.equal((await get('lines=1-2')).status, 200);

  t.equal((await fetch(url.replace('sig=', 'sig=x'))).status, 403);
  t.equal((await fetch(url.replace(/expires=\d+/, 'expires=9999999999'))).status, 403);
  await fetch(url, { headers: { authorization: 'Bearer leak' } });
  t.equal(simulator.calls('result').at(-1)?.authorization, true, 'a leaked key is on record');
  simulator.reset();
  t.equal((await fetch(url)).status, 404);
});

t.test('[F67] results that lag, expire in other words, redirect, and are misnamed', async (t) => {
  let now = Date.now();
  const settings: SettingsPatch = { taskMs: { min: 0, max: 0 }, resultLagMs: 1_000, urlTtlMs: 5_000 };
  const simulator = await started(t, { settings, now: () => now });
  const url = String(resourceOf((await query(simulator, await made(simulator))).data).url);
  t.equal((await fetch(url)).status, 404, 'not yet');
  now += 1_000;
  t.equal((await fetch(url)).headers.get('content-type'), 'video/mp4');
  simulator.configure({ resultEdge: true, resultType: 'binary/octet-stream' });
  const redirect = await fetch(url, { redirect: 'manual' });
  t.match([redirect.status, redirect.headers.get('location')], [302, /^\/edge\//]);
  const edge = await fetch(url);
  t.match([edge.status, edge.headers.get('content-type')], [200, 'binary/octet-stream']);
  t.ok(Buffer.from(await edge.arrayBuffer()).equals(video));
  now += 5_000;
  for (const expiredStatus of [400, 401, 403, 404, 410] as const) {
    simulator.configure({ expiredStatus });
    t.equal((await fetch(url)).status, expiredStatus);
  }
});

t.test('faults that change an answer', async (t) => {
  const simulator = await started(t, { settings: { concurrency: 1000, callsPerMinute: 1000 } });
  const taskId = await made(simulator);
  simulator.settle(taskId, { end: 'success' });
  const submits: [string, Fault['do'], Fault['when'] & string, object, number][] = [
    ['a status', { status: 503 }, 'before', { status: 503, code: 503 }, 0],
    ['a status after accept', { status: 502 }, 'after', { status: 502, code: 502 }, 1],
    ['a redirect', { status: 307, headers: { Location: '/x' } }, 'before', { status: 307 }, 0],
    ['not JSON', { status: 200, body: '<html>' }, 'before', { status: 200, text: '<html>' }, 0],
    ['no content', { status: 204 }, 'before', { status: 204, text: '' }, 0],
    ['cut short', { cut: 20 }, 'after', { status: 200, text: /^.{20}$/ }, 1],
    ['oversized', { pad: 3_000_000 }, 'after', { status: 200, text: / {3000000}$/ }, 1],
    ['code not 0', { patch: { code: 7 } }, 'after', { status: 200, code: 7 }, 1],
    ['another task_id', { patch: { data: { task_id: taskId } } }, 'after', { data: { task_id: taskId } }, 1],
    ['slowly', { slow: 1 }, 'after', { status: 200, code: 0 }, 1],
    ['late', { delay: 1 }, 'before', { status: 200, code: 0 }, 1],
  ];
  for (const [name, action, when, expected, tasks] of submits) {
    const before = simulator.ledger().length;
    const fault = simulator.inject({ on: 'submit', when, do: action });
    t.match(await submit(simulator), expected, name);
    t.equal(simulator.ledger().length - before, tasks, `${name}: tasks made`);
    t.equal((await fault.met).fault, fault.id);
    t.equal((await submit(simulator)).code, 0, 'once only');
  }
  simulator.inject({ on: 'submit', do: { patch: { data: { task_id: null } } } });
  t.notOk('task_id' in (await submit(simulator)).data, 'null removes');
  const reset = { 'X-RateLimit-Reset': '1', 'Retry-After': '5' };
  simulator.inject({ on: 'submit', do: { status: 429, headers: reset } });
  t.equal((await submit(simulator)).headers.get('x-ratelimit-reset'), '1');

  const patched = async (patch: Record<string, unknown>) => {
    simulator.inject({ on: 'query', task: taskId, do: { patch } });
    return (await query(simulator, taskId)).data;
  };
  t.match(await patched({ data: { status: 'dreaming' } }), { status: 'dreaming' });
  t.match(await patched({ data: { status: 'processing', result: null } }), { status: 'processing' });
  t.match(await patched({ data: { result: { resources: [] } } }), { result: { resources: [] } });
  t.equal((await query(simulator, taskId)).data.status, 'success');
});

t.test('faults that break a connection', async (t) => {
  const simulator = await started(t, { settings: { concurrency: 1000, callsPerMinute: 1000 } });
  const body = JSON.stringify(GOOD);
  for (const by of ['reset', 'close', 'hang'] as const) {
    for (const point of ['request', 'head', 'mid-head', 'mid-body'] as const) {
      for (const when of ['before', 'after'] as const) {
        if (point === 'request' && when === 'after') continue;
        const name = `${by} at ${point}, ${when}`;
        const before = simulator.ledger().length;
        const { met } = simulator.inject({ on: 'submit', when, do: { [by]: point } });
        const ended = simulator.nextEnd('submit');
        const caller = new AbortController();
        const answer = submit(simulator, body, { signal: caller.signal });
        if (by === 'hang') void met.then(() => caller.abort());
        await t.rejects(answer, name);
        if (by !== 'hang') {
          const head = when === 'after' ? 200 : 500;
          t.equal((await ended).status, point === 'mid-body' ? head : null, `${name}: head sent`);
        }
        t.equal(simulator.ledger().length - before, when === 'after' ? 1 : 0, `${name}: tasks made`);
      }
    }
  }
  t.equal((await submit(simulator)).code, 0);
});

t.test('faults on results', async (t) => {
  const simulator = await started(t, { settings: { taskMs: { min: 0, max: 0 } } });
  const url = String(resourceOf((await query(simulator, await made(simulator))).data).url);
  simulator.inject({ on: 'result', do: { status: 403 } });
  t.equal((await fetch(url)).status, 403);
  simulator.inject({ on: 'result', when: 'after', do: { reset: 'mid-body' } });
  const broken = await fetch(url);
  t.equal(broken.headers.get('content-length'), String(video.length));
  await t.rejects(broken.arrayBuffer());
  simulator.inject({ on: 'result', do: { slow: 1 } });
  t.equal((await (await fetch(url)).arrayBuffer()).byteLength, video.length);
});

t.test('a call can be held, before and after it takes effect', async (t) => {
  const simulator = await started(t);
  const before = simulator.inject({ on: 'submit', when: 'before', do: { hold: true } });
  const first = submit(simulator);
  await before.met;
  t.equal(simulator.ledger().length, 0);
  const task = simulator.nextTask();
  t.equal(before.release(), 1);
  t.equal((await task).taskId, (await first).data.task_id);

  const after = simulator.inject({ on: 'submit', when: 'after', do: { hold: true, reset: 'head' } });
  const second = submit(simulator);
  await after.met;
  t.equal(simulator.ledger().length, 2);
  t.equal(simulator.release(), 1);
  await t.rejects(second);
});

t.test('faults of a task, of a key, by number, by chance', async (t) => {
  const settings = { callsPerMinute: 1000, concurrency: 1000, keys: { other: { team: 'b', valid: true } } };
  const simulator = await started(t, { settings, seed: 7 });
  simulator.inject({ on: 'submit', do: { fate: { end: 'failed', reason: 'r', inMs: 0 } } });
  simulator.inject({ on: 'submit', do: { fate: { end: 'never' } } });
  t.match((await query(simulator, await made(simulator))).data, { status: 'failed', error: 'r' });
  t.equal((await query(simulator, await made(simulator))).data.status, 'processing');

  simulator.inject({ on: 'query', key: 'other', times: 2, do: { status: 500 } });
  t.equal((await query(simulator, 'task-x')).status, 404);
  const statuses = [];
  for (let i = 0; i < 3; i++) statuses.push((await query(simulator, 'task-x', 'other')).status);
  t.same(statuses, [500, 500, 404]);

  const fault = simulator.inject({ on: 'query', probability: 0.3, do: { status: 503 } });
  for (let i = 0; i < 100; i++) await query(simulator, 'task-x');
  t.ok(fault.count > 15 && fault.count < 45, `met ${fault.count} of 100`);
  t.equal(simulator.clearFaults(), 4, 'spent ones are listed until cleared');
  t.same(simulator.faults(), []);
  t.throws(() => simulator.inject({ on: 'query', do: { reset: 'head', hang: 'head' } }), RangeError);
});

t.test('it can be away for a while', async (t) => {
  const simulator = await started(t);
  const taskId = await made(simulator);
  const { port } = simulator;
  await simulator.pause();
  await t.rejects(query(simulator, taskId), { cause: { code: 'ECONNREFUSED' } });
  await simulator.resume();
  t.equal(simulator.port, port);
  t.equal((await query(simulator, taskId)).status, 200);
});

t.test('the control API', async (t) => {
  const simulator = await started(t);
  const ask = async (method: string, path: string, body?: unknown) => {
    const init = body === undefined ? { method } : { method, body: JSON.stringify(body) };
    const reply = await call(simulator, `/_control/${path}`, { key: null, ...init });
    return { status: reply.status, body: JSON.parse(reply.text) as unknown };
  };
  t.match(await ask('GET', 'health'), { status: 200 });
  t.match(await ask('POST', 'faults', { on: 'submit', do: { status: 500 } }), {
    status: 201,
    body: { ids: ['fault-1'] },
  });
  t.match(await ask('GET', 'faults'), { body: { faults: [{ id: 'fault-1', count: 0, on: 'submit' }] } });
  t.equal((await submit(simulator)).status, 500);
  t.match(await ask('DELETE', 'faults'), { body: { cleared: 1 } });
  const bad = [{ on: 'submit' }, { on: 'else', do: {} }, { on: 'query', do: { nonsense: 1 } }];
  for (const fault of bad)
    t.match(await ask('POST', 'faults', fault), { status: 400, body: { error: /^fault/ } });

  const taskId = await made(simulator);
  t.match(await ask('GET', 'ledger'), { body: { submits: [{ taskId }] } });
  t.match(await ask('GET', 'calls?kind=submit'), {
    body: { calls: [{ status: 500 }, { status: 200, taskId }] },
  });
  t.match(await ask('POST', `tasks/${taskId}`, { end: 'failed', reason: 'x' }), { status: 200 });
  t.match(await ask('GET', 'tasks'), { body: { tasks: [{ id: taskId, status: 'failed' }] } });
  t.match(await ask('DELETE', `tasks/${taskId}`), { status: 200 });
  t.match(await ask('POST', `tasks/${taskId}`, { end: 'never' }), { status: 400 });
  t.match(await ask('PATCH', 'settings', { concurrency: 0 }), { body: { concurrency: 0 } });
  t.match(await ask('PATCH', 'settings', { concurrency: 'x' }), {
    status: 400,
    body: { error: /concurrency/ },
  });
  t.equal((await submit(simulator)).status, 429);
  t.match(await ask('POST', 'release'), { body: { released: 0 } });
  t.match(await ask('POST', 'reset'), { status: 200 });
  t.match(await ask('GET', 'settings'), { body: { concurrency: 3 } });
  t.match(await ask('GET', 'ledger'), { body: { submits: [] } });
  t.match(await ask('GET', 'nothing'), { status: 404 });
});

t.test('as a process: its ledger file outlives a kill, and SIGTERM ends it well', async (t) => {
  const file = join(t.testdir(), 'ledger.jsonl');
  const start = async () => {
    const child = spawn(process.execPath, argsFor('test/simulator/main'), {
      env: {
        ...process.env,
        NODE_OPTIONS: '',
        PORT: '0',
        SIMULATOR_API_KEYS: 'k1:a,k2:b',
        SIMULATOR_TASK_MEDIAN_MS: '3000',
        SIMULATOR_TASK_MEDIAN_MS_PRO: '6000',
        SIMULATOR_TASK_SIGMA: '0.7',
        SIMULATOR_WINDOW_MS: '5000',
        LEDGER_FILE: file,
      },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    t.teardown(() => child.kill('SIGKILL'));
    const [line] = await once(child.stdout, 'data');
    return { child, url: String(line).trim().split(' ').at(-1) ?? '' };
  };
  const first = await start();
  const response = await fetch(first.url + SUBMIT_PATH, {
    method: 'POST',
    headers: { authorization: 'Bearer k2', 'content-type': 'application/json' },
    body: JSON.stringify({ ...URLS, prompt: 'p1' }),
  });
  t.equal(response.status, 200);
  first.child.kill('SIGKILL');
  await once(first.child, 'exit');
  const lines = readFileSync(file, 'utf8').trim().split('\n');
  t.match(JSON.parse(lines[0] ?? ''), { type: 'submit', key: 'k2', team: 'b', prompt: 'p1' });

  const second = await start();
  t.match(await (await fetch(`${second.url}/_control/settings`)).json(), {
    taskMedianMs: { std: 3000, pro: 6000 },
    taskSigma: 0.7,
    windowMs: 5000,
  });
  second.child.kill('SIGTERM');
  t.same(await once(second.child, 'exit'), [0, null]);
});
