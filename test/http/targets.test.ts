/** Request targets in all their forms, and who counts what leads nowhere. */

import t from 'tap';
import { startApp } from '../support/app.js';
import { createAvatar, sendRaw } from '../support/requests.js';
import { countedAlone, serverFor } from '../support/server.js';

const END = 'Connection: close\r\n\r\n';
const bodyOf = (answer: string) => answer.slice(answer.indexOf('\r\n\r\n') + 4);

t.test('[E20] the absolute form is the same request', async (t) => {
  const { url, simulator } = await startApp(t);
  const { id } = await createAvatar(url);
  simulator.settle(simulator.ledger()[0]?.taskId ?? '', { end: 'success' });
  const host = new URL(url).host;
  const get = (target: string, named = host) =>
    sendRaw(url, `GET ${target} HTTP/1.1\r\nHost: ${named}\r\n${END}`);

  t.match(await get(`${url}/avatars/${id}`), /^HTTP\/1\.1 200 /);
  t.match(await get(`HTTP://${host}/avatars/${id}`), /^HTTP\/1\.1 200 /, 'the scheme ignores case');
  t.match(await get(`${url}/avatars?limit=1`), /^HTTP\/1\.1 200 /);
  const named = await get(`${url}/avatars/${id}/video/${id}.mp4`);
  t.notMatch(named, /no such route/, 'with a name for the file');
  t.match(JSON.parse(bodyOf(await get(`${url}/nowhere?a=b`))), { status: 404, instance: '/nowhere' });
  t.match(JSON.parse(bodyOf(await get(url))), { status: 404, instance: '/' }, 'without a path');
  t.match(JSON.parse(bodyOf(await get(`${url}?a=b`))), { status: 404, instance: '/' });
  const dropIn = { code: 404, message: /^Not found: / };
  t.match(JSON.parse(bodyOf(await get(`${url}/api/v1/nowhere`))), dropIn);
  t.match(
    JSON.parse(bodyOf(await get(`${url}/api/v1/tasks/%zz`))),
    { code: 400 },
    'an error before any route',
  );
  const broken = `POST ${url}/api/v1/kling/kling-avatar HTTP/1.1\r\nHost: ${host}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n`;
  t.match(JSON.parse(bodyOf(await sendRaw(url, broken))), { code: 400 }, 'and an error of the parser');
  t.match(
    JSON.parse(bodyOf(await get('http://evil.example/avatars'))),
    { status: 403 },
    'the host in it goes before that of the header (RFC 9112 §3.2.2)',
  );
});

t.test('[E20] OPTIONS * asks about the server', async (t) => {
  const { url } = await startApp(t);
  const ask = (method: string) => sendRaw(url, `${method} * HTTP/1.1\r\nHost: localhost\r\n${END}`);
  t.match(await ask('OPTIONS'), /^HTTP\/1\.1 204 /);
  t.match(await ask('GET'), /^HTTP\/1\.1 40[04] /);
});

t.test('[E20] who names the type of problems alone is answered', async (t) => {
  const { url } = await startApp(t);
  const headers = { accept: 'application/problem+json' };
  const missing = await fetch(`${url}/avatars/av_1`, { headers });
  t.equal(missing.status, 404);
  t.match(missing.headers.get('content-type'), /^application\/problem\+json/);
  t.equal((await fetch(`${url}/avatars`, { headers })).status, 200);
  t.equal((await fetch(`${url}/avatars`, { headers: { accept: 'text/html' } })).status, 406);
});

t.test('[E18] what leads nowhere is counted, too', async (t) => {
  const limits = { requestsPerMinute: 3, fails: 'open', counts: countedAlone() } as const;
  const server = await serverFor(t, {}, undefined, { limits });
  const statuses: number[] = [];
  for (const [method, url] of [
    ['GET', '/nowhere'],
    ['PUT', '/avatars'],
    ['GET', '/api/v1/nowhere'],
    ['GET', '/nowhere'],
  ] as const) {
    statuses.push((await server.inject({ method, url })).statusCode);
  }
  t.strictSame(statuses, [404, 405, 404, 429]);
});
