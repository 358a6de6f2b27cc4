/** How errors are told on Modellix's routes: every problem of the catalogue, and whatever happens before a route. */

import { once } from 'node:events';
import { connect } from 'node:net';
import t from 'tap';
import type { Gateway } from '../../../src/gateway/gateway.js';
import { PROBLEMS, ProblemError, type ProblemSlug } from '../../../src/problems.js';
import { startApp } from '../../support/app.js';
import { sendRaw, URLS } from '../../support/requests.js';
import { serverFor } from '../../support/server.js';
import { FIRST_PATH, refused, submitTask } from './support.js';

/** After these Modellix's clients are sure that no task was made (contract, "A submit costs money"). */
const DEFINITE = [400, 401, 402, 403, 404, 405, 413, 415, 422, 429];
/** Of what can become of a submit, where a task may have been made, or may be made yet. */
const IN_DOUBT: ReadonlySet<ProblemSlug> = new Set(['store-unavailable', 'internal', 'outcome-unknown']);
/** What a submit can end in before or without a task. */
const OF_A_SUBMIT: ReadonlySet<ProblemSlug> = new Set([
  'bad-request',
  'invalid-json',
  'request-timeout',
  'headers-too-large',
  'idempotency-key-invalid',
  'idempotency-key-required',
  'payload-too-large',
  'unsupported-media-type',
  'validation',
  'invalid-media',
  'url-not-allowed',
  'idempotency-key-reused',
  'refused-by-modellix',
  'content-refused',
  'queue-full',
  'rate-limited',
  'overloaded',
  'account-problem',
  'arrears',
  'never-sent',
  'not-made',
  ...IN_DOUBT,
]);

t.test('every problem of the catalogue', async (t) => {
  let read: Gateway['read'] = () => Promise.reject(new Error('not said'));
  const lines: string[] = [];
  const server = await serverFor(t, { read: (...args) => read(...args) }, (line) => void lines.push(line));
  const reading = async (error: Error) => {
    read = () => Promise.reject(error);
    lines.length = 0;
    const { statusCode, body, headers } = await server.inject('/api/v1/tasks/av_1');
    const loud = lines.filter((line) => (JSON.parse(line) as { level: number }).level >= 50);
    return { status: statusCode, body, headers, loud };
  };

  for (const slug of Object.keys(PROBLEMS) as ProblemSlug[]) {
    const error = new ProblemError(slug, 'In words.', { headers: { 'retry-after': '7' } });
    const { status, body, headers, loud } = await reading(error);
    t.equal(headers['content-type'], 'application/json; charset=utf-8', slug);
    t.equal(headers['retry-after'], '7', slug);
    t.match(JSON.parse(body), { code: status, message: /^[A-Z][a-z -]+: In words$/, data: {} }, slug);
    t.equal(loud.length, PROBLEMS[slug].status >= 500 ? 1 : 0, `${slug} is logged as elsewhere`);
    if (OF_A_SUBMIT.has(slug)) t.equal(DEFINITE.includes(status), !IN_DOUBT.has(slug), slug);
  }

  for (const slug of ['refused-by-modellix', 'content-refused', 'account-problem', 'arrears'] as const) {
    const said = new ProblemError(slug, 'Authentication failed: expired', { upstreamStatus: 401 });
    const { status, body } = await reading(said);
    t.equal(status, 401);
    t.strictSame(JSON.parse(body), { code: 401, message: 'Authentication failed: expired', data: {} });
  }
  for (const [slug, code] of [
    ['content-refused', 400],
    ['arrears', 402],
  ] as const) {
    const { body } = await reading(new ProblemError(slug, 'error 1301: no', { upstreamStatus: 429 }));
    t.match(JSON.parse(body), { code, message: 'error 1301: no' }, 'nothing that a client would try again');
  }

  const { status, body } = await reading(new Error('a secret'));
  t.equal(status, 500);
  t.strictSame(JSON.parse(body), {
    code: 500,
    message: 'Internal error: The gateway met an error it did not expect',
    data: {},
  });
});

t.test('what is wrong with a request, in Modellix’s words', async (t) => {
  const { url, simulator } = await startApp(t);
  const { image } = URLS;
  const cases: Record<string, [unknown, number, RegExp, Record<string, string>?]> = {
    'no image': [{ audio_id: 'a' }, 400, /^Missing required parameter: image$/],
    'no speech': [{ image }, 400, /^Missing required parameter: audio_id or sound_file$/],
    'image is null': [{ image: null, audio_id: 'a' }, 400, /^Missing required parameter: image$/],
    'nothing at all': [{}, 400, /^Missing required parameter: image$/],
    both: [{ ...URLS, sound_file: 'https://example.com/a.mp3' }, 400, /exclude each other$/],
    'an unknown member': [{ ...URLS, promt: 'x' }, 400, /^Invalid parameters: unknown parameter promt$/],
    'a member of /avatars': [{ ...URLS, metadata: {} }, 400, /unknown parameter metadata$/],
    'an empty prompt': [{ ...URLS, prompt: '' }, 400, /^Value out of range: prompt /],
    'a long prompt': [{ ...URLS, prompt: 'x'.repeat(2501) }, 400, /^Value out of range: prompt .*2500/],
    'an empty sound': [{ image, sound_file: '' }, 400, /^Value out of range: sound_file /],
    'a number': [{ ...URLS, prompt: 5 }, 400, /^Invalid parameters: prompt must be string$/],
    'another mode': [{ ...URLS, mode: 'fast' }, 400, /^Invalid parameters: mode must be one of std, pro$/],
    NUL: [{ ...URLS, prompt: 'a\0' }, 400, /^Invalid format: prompt /],
    'an array': [[], 400, /^Invalid parameters: the request body must be object$/],
    'no JSON': ['{"image":', 400, /^Invalid format: /],
    'a member twice': ['{"image":"a","image":"b"}', 400, /^Invalid format: .*twice/],
    'no body': ['', 400, /^Invalid format: /],
    'not base64': [{ image: '????', audio_id: 'a' }, 400, /^Invalid format: image /],
    'a URL of another kind': [
      { image: 'ftp://example.com/a', audio_id: 'a' },
      400,
      /^Invalid format: image /,
    ],
    'a form': ['x', 415, /^Unsupported media type: /, { 'content-type': 'multipart/form-data; boundary=x' }],
    'another charset': [
      '{}',
      415,
      /^Unsupported media type: /,
      { 'content-type': 'application/json; charset=x' },
    ],
    compressed: ['{}', 415, /^Unsupported media type: /, { 'content-encoding': 'gzip' }],
    'a bad key': [URLS, 400, /^Invalid format: .*Idempotency-Key/, { 'idempotency-key': 'a b' }],
  };
  for (const [name, [body, status, message, headers = {}]] of Object.entries(cases)) {
    t.match(await refused(t, await submitTask(url, body, { headers }), status, name), message, name);
  }
  t.equal(simulator.ledger().length, 0, 'nothing was spent');
});

t.test('paths and methods', async (t) => {
  const { url } = await startApp(t);
  const get = (path: string) => fetch(`${url}${path}`);
  for (const path of ['/api/v1', '/api/v1/', '/api/v1/tasks', '/api/v1/openai/gpt-image-2', '/api/v1?x=1']) {
    t.match(await refused(t, await get(path), 404, path), /^Not found: There is no such route$/);
  }
  const elsewhere = await submitTask(url, URLS, { path: '/api/v1/openai/gpt-image-2' });
  await refused(t, elsewhere, 404, 'another model');
  for (const id of ['av_0', 'x'.repeat(500), '%00', '__proto__']) {
    t.match(await refused(t, await get(`/api/v1/tasks/${id}`), 404, id), /^Not found: /);
  }
  await refused(t, await get('/api/v1/tasks/%zz'), 400, 'a path that cannot be decoded');
  for (const [method, path, allow] of [
    ['GET', FIRST_PATH, 'POST'],
    ['DELETE', '/api/v1/tasks/av_1', 'GET, HEAD'],
    ['POST', '/api/v1/models', 'GET, HEAD'],
    ['PUT', '/api/v1/kling/kling-avatar', 'POST'],
  ] as const) {
    const response = await fetch(url + path, { method });
    t.equal(response.headers.get('allow'), allow);
    t.match(await refused(t, response, 405, `${method} ${path}`), /^Method not allowed: /);
  }
  t.match(await (await get('/api/v12')).json(), { type: /:not-found$/ }, 'a path that only looks like it');
});

t.test('before a route: too many requests', async (t) => {
  const { url } = await startApp(t, { rateLimitPerMinute: 1 });
  const validate = () => fetch(`${url}/api/v1/apikey/validate`);
  const inSeconds = (response: Response) =>
    Number(response.headers.get('x-ratelimit-reset')) - Date.now() / 1000;
  const first = await validate();
  t.equal(first.status, 200);
  t.equal(first.headers.get('x-ratelimit-limit'), '1');
  t.equal(first.headers.get('x-ratelimit-remaining'), '0');
  t.ok(inSeconds(first) > 30 && inSeconds(first) < 62, 'a time, not a duration');
  const response = await validate();
  t.match(response.headers.get('retry-after'), /^([1-9]|[1-5]\d|60)$/);
  t.ok(inSeconds(response) > 0 && inSeconds(response) < 62);
  t.match(await refused(t, response, 429, 'the second'), /^Rate limit exceeded: /);
});

t.test('before a route: a queue that is full, and memory that is used up', async (t) => {
  const queue = { maxAvatars: 1, maxBytes: 1e12 };
  const { url } = await startApp(t, { limits: { tasks: 1 }, gateway: { queueBounds: queue } });
  await submitTask(url, URLS);
  await submitTask(url, URLS);
  const full = await submitTask(url, URLS);
  t.match(full.headers.get('retry-after'), /^\d+$/);
  t.match(await refused(t, full, 429, 'full'), /^Concurrent limit exceeded: The queue/);

  const small = await startApp(t, { media: { maxBytes: 1 } });
  t.match(
    await refused(t, await submitTask(small.url, URLS), 429, 'no memory'),
    /^Concurrent limit exceeded: /,
  );
});

t.test('what never becomes a whole request', async (t) => {
  const { url } = await startApp(t, { media: { uploadStallMs: 200 } });
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  t.teardown(() => void socket.destroy());
  await once(socket, 'connect');
  socket.write(
    `POST ${FIRST_PATH} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 9999\r\n\r\n{"image":"A`,
  );
  let answer = '';
  socket.on('data', (chunk) => {
    answer += String(chunk);
  });
  await once(socket, 'close');
  t.match(
    answer,
    /^HTTP\/1\.1 400 .*\r\nContent-Type: application\/json; .*\r\n\r\n\{"code":400,"message":"Request timeout: /s,
  );

  const twoHosts = await sendRaw(
    url,
    'GET /api/v1/models HTTP/1.1\r\nHost: a\r\nHost: b\r\nConnection: close\r\n\r\n',
  );
  t.match(twoHosts, /^HTTP\/1\.1 400 .*\r\n\r\n\{"code":400,"message":"Invalid format: /s);
});
