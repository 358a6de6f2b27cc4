/** What comes to where Modellix pushes and is not what Modellix sends: counted, answered, and without an effect. */

import { request } from 'node:http';
import t from 'tap';
import { startApp } from '../support/app.js';
import { createAvatar, sendRaw, URLS } from '../support/requests.js';
import { byHand } from './bad-input/case.js';

const PUSHES = { url: 'https://gateway.example', listen: null };
const HOUR_MS = 3_600_000;
const KB = 1024;

/** How a request is sent to a URL of the route, and what it is answered with. */
interface Case {
  readonly name: string;
  readonly send: (url: string) => Promise<number>;
  readonly expected: number;
}

const ask = async (url: string, init: RequestInit) => (await fetch(url, { method: 'POST', ...init })).status;
const sent = (name: string, init: RequestInit, expected: number): Case => ({
  name: `${name}: ${expected}`,
  send: (url) => ask(url, init),
  expected,
});
const at = (name: string, change: (url: string) => string, expected: number): Case => ({
  name: `token ${name}: ${expected}`,
  send: (url) => ask(change(url), {}),
  expected,
});
const byBytes = (name: string, lines: (path: string) => string, expected: number): Case => ({
  name: `${name}: ${expected}`,
  async send(url) {
    const answer = await sendRaw(url, lines(new URL(url).pathname), { end: true });
    return Number(answer.split(' ')[1]);
  },
  expected,
});

/** A body without a length. */
function chunked(url: string, bytes: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const sending = request(url, { method: 'POST' }, (response) => {
      response.resume().on('end', () => resolve(response.statusCode ?? 0));
    });
    sending.on('error', reject);
    for (let left = bytes; left > 0; left -= 64 * KB) sending.write(Buffer.alloc(Math.min(left, 64 * KB)));
    sending.end();
  });
}

const METHODS = ['GET', 'HEAD', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND'];
const TYPES = [
  'application/json',
  'application/json; charset=latin1',
  'text/plain',
  'text/html',
  'application/x-www-form-urlencoded',
  'multipart/form-data; boundary=x',
  'multipart/form-data',
  'application/octet-stream',
  'nonsense',
  '/',
  ';',
];
const BODIES = [
  '',
  '{',
  '{}',
  '[]',
  'null',
  '"',
  '\u0000',
  'NaN',
  '{"__proto__":{}}',
  '{"data":{"status":"success"}}',
  `${'['.repeat(10_000)}`,
  '\ufeff{}',
  '<xml/>',
];
const last = (url: string, letter: string) => url.slice(0, -1) + letter;

/** With a token that is right: what is in the body does not matter, what is too much does. */
const GENUINE: readonly Case[] = [
  ...METHODS.map((method) => sent(method, { method }, 405)),
  ...TYPES.map((type) => sent(`type ${type}`, { headers: { 'content-type': type }, body: '{}' }, 204)),
  ...BODIES.map((body) =>
    sent(`body ${body.slice(0, 30)}`, { headers: { 'content-type': 'application/json' }, body }, 204),
  ),
  ...['gzip', 'br', 'nonsense'].map((coding) =>
    sent(`coding ${coding}`, { headers: { 'content-encoding': coding }, body: 'x' }, 204),
  ),
  sent('no body and no type', {}, 204),
  sent('256 kB', { body: new Uint8Array(256 * KB) }, 204),
  sent('256 kB and a byte', { body: new Uint8Array(256 * KB + 1) }, 413),
  sent('3 MB', { body: new Uint8Array(3 * KB * KB) }, 413),
  { name: '256 kB in chunks: 204', send: (url) => chunked(url, 256 * KB), expected: 204 },
  { name: '257 kB in chunks: 413', send: (url) => chunked(url, 257 * KB), expected: 413 },
  { name: '3 MB in chunks: 413', send: (url) => chunked(url, 3 * KB * KB), expected: 413 },
  sent('a page of another origin', { headers: { origin: 'https://evil.example' }, body: '{}' }, 204),
  sent('a key of nobody', { headers: { authorization: 'Bearer x' }, body: '{}' }, 204),
  sent('passed on', { headers: { via: '1.1 proxy', 'x-forwarded-for': '203.0.113.9' }, body: '{}' }, 204),
  sent('another event', { headers: { 'x-modellix-event': 'nonsense', 'x-modellix-task-id': '../x' } }, 204),
  at('with a query', (url) => `${url}?a=b`, 400),
  at('with an empty query', (url) => `${url}?`, 204),
  byBytes('a foreign Host', (path) => byHand(`POST ${path}`).replace('localhost', 'evil.example'), 204),
  byBytes('two Hosts', (path) => byHand(`POST ${path}`, ['Host: localhost']), 400),
  byBytes(
    'two lengths',
    (path) => byHand(`POST ${path}`, ['Content-Length: 1', 'Content-Length: 2'], 'x'),
    400,
  ),
  byBytes('a length that is none', (path) => byHand(`POST ${path}`, ['Content-Length: x'], 'x'), 400),
  byBytes(
    'a length and chunks',
    (path) => byHand(`POST ${path}`, ['Content-Length: 1', 'Transfer-Encoding: chunked'], 'x'),
    400,
  ),
  byBytes('a body that breaks off', (path) => byHand(`POST ${path}`, ['Content-Length: 9'], 'x'), 400),
  byBytes(
    'chunks that break off',
    (path) => byHand(`POST ${path}`, ['Transfer-Encoding: chunked'], '5\r\nx'),
    400,
  ),
  byBytes(
    'chunks that are none',
    (path) => byHand(`POST ${path}`, ['Transfer-Encoding: chunked'], 'zz\r\n'),
    400,
  ),
  byBytes('another coding', (path) => byHand(`POST ${path}`, ['Transfer-Encoding: gzip'], 'x'), 400),
  byBytes('another expectation', (path) => byHand(`POST ${path}`, ['Expect: miracles']), 400),
  byBytes('headers of 20 kB', (path) => byHand(`POST ${path}`, [`X: ${'x'.repeat(20_000)}`]), 431),
  byBytes('an absolute target', (path) => byHand(`POST http://localhost${path}`), 204),
];

/** Paths that hold no token of ours. */
const FORGED: readonly Case[] = [
  at('of another signature', (url) => last(url, url.endsWith('A') ? 'Q' : 'A'), 404),
  at('cut', (url) => url.slice(0, -1), 404),
  at('longer', (url) => `${url}A`, 404),
  at('with more parts', (url) => `${url}.A`, 404),
  at('without a signature', (url) => url.replace(/\..{43}$/, ''), 404),
  at('with an empty signature', (url) => url.replace(/\..{43}$/, '.'), 404),
  at('of nobody', (url) => url.replace(/av_\w+\./, '.'), 404),
  at('of another avatar', (url) => url.replace(/av_\w/, 'av_f'), 404),
  at('in capitals', (url) => url.replace('av_', 'AV_'), 404),
  at('of 100 letters', (url) => url.replace(/[^/]+$/, 'x'.repeat(100)), 404),
  at('of 101 letters', (url) => url.replace(/[^/]+$/, 'x'.repeat(101)), 404),
  at('of 8000 letters', (url) => url.replace(/[^/]+$/, 'x'.repeat(8_000)), 404),
  ...['%00', '%0d%0aX: y', '..%2f..', '__proto__', 'constructor.x', '%F0%9F%99%82', '*', 'null', 'a.b.c'].map(
    (token) => at(token, (url) => url.replace(/[^/]+$/, token), 404),
  ),
  at('that is no URL', (url) => url.replace(/[^/]+$/, '%zz'), 400),
  at('left out', (url) => url.replace(/[^/]+$/, ''), 404),
  at('and its slash', (url) => url.replace(/\/[^/]+$/, ''), 404),
  at('and a slash', (url) => `${url}/`, 404),
  at('and a path', (url) => `${url}/x`, 404),
  at('behind two slashes', (url) => url.replace('/modellix/', '/modellix//'), 404),
  at('in capital path', (url) => url.replace('/modellix/', '/Modellix/'), 404),
  {
    name: 'token forged, and a body too large: 413',
    send: (url) => ask(`${url}A`, { body: new Uint8Array(300 * KB) }),
    expected: 413,
  },
];

t.test('bad input to pushes', async (t) => {
  const gateway = { pollMinMs: HOUR_MS, pollMaxMs: HOUR_MS };
  const app = await startApp(t, { pushes: PUSHES, gateway });
  const { simulator } = app;
  const urlOf = async (): Promise<string> => {
    const { task_id } = await createAvatar(app.url, URLS);
    const entry = simulator.ledger().find(({ taskId }) => taskId === task_id);
    return String(entry?.headers['x-webhook-url']).replace(PUSHES.url, app.url);
  };
  // Ended, so that a push has no effect of its own.
  const done = await urlOf();
  const [task] = simulator.tasks();
  simulator.configure({ pushes: { neverShare: 1 } });
  simulator.settle(String(task?.id), { end: 'success' });
  t.equal(await ask(done, { body: '{"data":{"status":"failed"}}' }), 204);
  await simulator.nextEnd('query');
  const [forgedUrl, unharmed] = [await urlOf(), await urlOf()];
  const queries = simulator.calls('query').length;

  const cases = [
    ...GENUINE.map((each) => ({ ...each, url: done })),
    ...FORGED.map((each) => ({ ...each, url: forgedUrl })),
  ];
  t.equal(new Set(cases.map(({ name }) => name)).size, cases.length, 'no name stands for two cases');
  let passed = 0;
  for (const { name, send, expected, url } of cases) {
    if (t.equal(await send(url), expected, name)) passed += 1;
  }
  t.comment(`bad input to pushes: ${passed} of ${cases.length}`);
  t.equal(simulator.calls('query').length, queries, 'nothing was polled');

  await t.test('a flood of forged ones costs Modellix no call and others nothing', async (t) => {
    for (let wave = 0; wave < 40; wave++) {
      const flood = Array.from({ length: 50 }, (_, i) => ask(`${forgedUrl}${i}`, { body: '{}' }));
      const { status } = await fetch(`${app.url}/avatars`);
      t.equal(status, 200, 'others are served');
      t.strictSame(new Set(await Promise.all(flood)), new Set([404]));
    }
    t.equal(simulator.calls('query').length, queries);
  });

  await t.test('a flood of true ones has an avatar polled once in two seconds', async (t) => {
    const from = simulator.calls('query').length;
    const startedAt = performance.now();
    for (let i = 0; i < 50; i++) {
      t.strictSame(
        new Set(await Promise.all(Array.from({ length: 20 }, () => ask(unharmed, { body: '{}' })))),
        new Set([204]),
      );
    }
    const took = performance.now() - startedAt;
    const polls = simulator.calls('query').length - from;
    t.ok(polls >= 1 && polls <= took / 2_000 + 1, `${polls} polls in ${Math.round(took)} ms`);
  });

  const loud = app.logLines().filter((line) => (JSON.parse(line) as { level: number }).level >= 40);
  t.strictSame(loud, [], 'nobody was alarmed');
});
