/** What is made of an answer: its status, its range, its size and its encoding. */

import t from 'tap';
import type { Fetched } from '../../src/domain/media/fetched.js';
import { readHead } from '../../src/outbound/answer.js';
import { answering, failed, fetcherFor, httpServer, letGo, rawServer } from './support.js';

const MAX = 1000;
const FILE = Buffer.from('0123456789');
const WHOLE: Fetched = { kind: 'bytes', bytes: FILE };
const PART = failed('the host gave only a part of the file');
const ENCODED = failed('the host encoded it (compression is not taken)');

t.test('what is sent', async (t) => {
  const server = await httpServer(t, answering(200, {}, FILE));
  await fetcherFor(t).fetch(`${server.origin}/a%20b?c=%2F&d#e`, MAX);
  t.equal(server.requests[0]?.method, 'GET');
  t.equal(server.requests[0]?.url, '/a%20b?c=%2F&d');
  t.strictSame(server.requests[0]?.headers, {
    host: server.origin.slice('http://'.length),
    connection: 'close',
    'user-agent': 'avatar-gateway/test',
    'accept-encoding': 'identity',
    range: 'bytes=0-1000',
  });
});

t.test('no proxy of the environment is used', async (t) => {
  const server = await httpServer(t, answering(200, {}, FILE));
  const proxy = await httpServer(t, answering(200, {}, 'from the proxy'), '127.0.0.1');
  const names = ['HTTP_PROXY', 'http_proxy', 'HTTPS_PROXY', 'https_proxy', 'ALL_PROXY', 'NODE_USE_ENV_PROXY'];
  const before = new Map(names.map((name) => [name, process.env[name]]));
  t.teardown(() => {
    for (const [name, value] of before) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  });
  for (const name of names) process.env[name] = name.startsWith('NODE') ? '1' : proxy.origin;
  t.strictSame(await fetcherFor(t).fetch(server.origin, MAX), WHOLE);
  t.equal(proxy.sockets.length, 0);
});

const STATUSES = [
  201, 202, 203, 204, 205, 300, 304, 305, 400, 401, 403, 404, 410, 416, 429, 451, 500, 503, 599,
];
for (const status of STATUSES) {
  t.test(`${status}`, async (t) => {
    const server = await httpServer(t, answering(status, { location: '/elsewhere' }));
    t.strictSame(await fetcherFor(t).fetch(server.origin, MAX), failed(`the host answered ${status}`));
    t.equal(server.requests.length, 1, 'asked once');
  });
}

const ANSWERS: readonly (readonly [
  what: string,
  status: number,
  headers: Record<string, string>,
  expected: Fetched,
])[] = [
  ['the length', 200, { 'content-length': '10' }, WHOLE],
  ['no length', 200, {}, WHOLE],
  ['identity', 200, { 'content-encoding': 'Identity' }, WHOLE],
  ['an empty encoding', 200, { 'content-encoding': '' }, WHOLE],
  ['gzip', 200, { 'content-encoding': 'gzip' }, ENCODED],
  ['two encodings', 200, { 'content-encoding': 'identity, br' }, ENCODED],
  ['gzip', 206, { 'content-encoding': 'gzip', 'content-range': 'bytes 0-9/10' }, ENCODED],
  ['a coding on the way', 200, { 'transfer-encoding': 'gzip, chunked' }, ENCODED],
  ['the whole', 206, { 'content-range': 'bytes 0-9/10' }, WHOLE],
  ['the whole, in capitals', 206, { 'content-range': 'Bytes 0-9/10' }, WHOLE],
  ['a part', 206, { 'content-range': 'bytes 0-9/11' }, PART],
  ['a part of what would be just small enough', 206, { 'content-range': 'bytes 0-9/1000' }, PART],
  [
    'a part of what is too large',
    206,
    { 'content-range': 'bytes 0-9/1001' },
    { kind: 'too-large', bytes: 1001 },
  ],
  [
    'what is too large',
    206,
    { 'content-range': 'bytes 0-1000/123456' },
    { kind: 'too-large', bytes: 123456 },
  ],
  [
    'too much of an unknown size',
    206,
    { 'content-range': 'bytes 0-1000/*' },
    { kind: 'too-large', bytes: 1001 },
  ],
  [
    'little of an unknown size',
    206,
    { 'content-range': 'bytes 0-9/*' },
    failed('the host gave a part of the file and not its size'),
  ],
  [
    'another part',
    206,
    { 'content-range': 'bytes 1-10/11' },
    failed('the host gave another part of the file than was asked for'),
  ],
  ['more than there is', 206, { 'content-range': 'bytes 0-10/10' }, PART],
  [
    'less than it says',
    206,
    { 'content-range': 'bytes 0-10/11' },
    failed('the answer is not as long as it says'),
  ],
  [
    'more than it says',
    206,
    { 'content-range': 'bytes 0-8/9' },
    failed('the answer is not as long as it says'),
  ],
  ...['', 'bytes', 'bytes 0-9', 'bytes */10', 'bytes -1-9/10', 'items 0-9/10', 'bytes 0-1e1/11'].map(
    (range) =>
      [
        `the range "${range}"`,
        206,
        range === '' ? {} : { 'content-range': range },
        failed('the host answered 206 without saying which part of the file it gives'),
      ] as const,
  ),
  ['an empty file', 416, { 'content-range': 'bytes */0' }, { kind: 'bytes', bytes: Buffer.alloc(0) }],
  ['a file that is not empty', 416, { 'content-range': 'bytes */10' }, failed('the host answered 416')],
];
for (const [what, status, headers, expected] of ANSWERS) {
  t.test(`${status} with ${what}`, async (t) => {
    const server = await httpServer(t, answering(status, headers, FILE));
    t.strictSame(await fetcherFor(t).fetch(server.origin, MAX), expected);
  });
}

t.test('a server that knows ranges, around the limit', async (t) => {
  let size = 0;
  const server = await httpServer(t, (response, { headers }) => {
    const last = Math.min(Number(/^bytes=0-(\d+)$/.exec(headers.range ?? '')?.[1]), size - 1);
    response.writeHead(206, { 'content-range': `bytes 0-${last}/${size}` }).end(Buffer.alloc(last + 1, 1));
  });
  for (size of [1, MAX - 1, MAX]) {
    t.strictSame(await fetcherFor(t).fetch(server.origin, MAX), {
      kind: 'bytes',
      bytes: Buffer.alloc(size, 1),
    });
  }
  for (size of [MAX + 1, MAX + 2, 50 * MAX]) {
    t.strictSame(await fetcherFor(t).fetch(server.origin, MAX), { kind: 'too-large', bytes: size });
  }
});

for (const framing of ['content-length', 'chunked', 'close'] as const) {
  t.test(`a server that knows no ranges, around the limit: ${framing}`, async (t) => {
    let size = 0;
    const server = await rawServer(t, (socket) => {
      const head = {
        'content-length': `content-length: ${size}\r\n`,
        chunked: 'transfer-encoding: chunked\r\n',
        close: 'connection: close\r\n',
      }[framing];
      socket.write(`HTTP/1.1 200 OK\r\n${head}\r\n`);
      const body = 'x'.repeat(size);
      if (framing !== 'chunked') socket.end(body);
      else socket.end(`${size === 0 ? '' : `${size.toString(16)}\r\n${body}\r\n`}0\r\n\r\n`);
    });
    for (size of [0, 1, MAX - 1, MAX]) {
      const bytes = Buffer.alloc(size, 'x');
      t.strictSame(await fetcherFor(t).fetch(server.origin, MAX), { kind: 'bytes', bytes });
    }
    for (size of [MAX + 1, 50 * MAX]) {
      const bytes = framing === 'content-length' ? size : MAX + 1;
      t.strictSame(await fetcherFor(t).fetch(server.origin, MAX), { kind: 'too-large', bytes });
    }
  });
}

t.test('a large file comes whole, in memory of its own size', async (t) => {
  const file = Buffer.alloc(10_000_000, 'large ');
  const server = await httpServer(t, (response, { url }) => {
    if (url === '/length') response.setHeader('content-length', file.length);
    response.end(file);
  });
  for (const [path, maxBytes] of [
    ['/length', 2 * file.length],
    ['/chunked', file.length],
  ] as const) {
    const answer = await fetcherFor(t).fetch(server.origin + path, maxBytes);
    if (answer.kind !== 'bytes') throw new Error(answer.kind);
    t.ok(answer.bytes.equals(file));
    t.equal(answer.bytes.buffer.byteLength, file.length);
  }
});

t.test('what is known to be too large is not read', async (t) => {
  const server = await rawServer(
    t,
    (socket) => void socket.write('HTTP/1.1 200 OK\r\ncontent-length: 1001\r\n\r\n'),
  );
  t.strictSame(await fetcherFor(t).fetch(server.origin, MAX), { kind: 'too-large', bytes: 1001 });
  await letGo(server);
});

t.test('a head that says a thing twice', async (t) => {
  const twice = ['bytes 0-9/10', 'bytes 0-9/2000'];
  t.strictSame(
    readHead(206, { 'content-range': twice }, MAX),
    failed('the host answered 206 without saying which part of the file it gives'),
  );
  t.strictSame(readHead(200, { 'content-encoding': ['identity', 'gzip'] }, MAX), ENCODED);
});
