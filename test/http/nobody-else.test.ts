/** Without callers: the gateway over its real sockets, whatever it listens on. */

import { networkInterfaces } from 'node:os';
import t from 'tap';
import { startApp } from '../support/app.js';
import { postJson, sendRaw, URLS } from '../support/requests.js';

const addresses = Object.values(networkInterfaces()).flatMap((each) =>
  (each ?? []).filter(({ internal, family }) => !internal && family === 'IPv4'),
);

t.test('a request from another address reaches no paid route', async (t) => {
  const app = await startApp(t, { host: '0.0.0.0' });
  const { port } = new URL(app.url);
  const paths = ['/avatars', '/api/v1/kling/kling-avatar'];
  for (const { address } of addresses) {
    for (const path of paths) {
      const init = { method: 'POST', headers: { 'content-type': 'application/json' } };
      const response = await fetch(`http://${address}:${port}${path}`, {
        ...init,
        body: JSON.stringify(URLS),
      });
      t.equal(response.status, 403, `${path} over ${address}`);
      t.match(await response.text(), /came from another address/);
    }
    t.equal((await fetch(`http://${address}:${port}/livez`)).status, 200);
  }
  if (addresses.length === 0) t.comment('this machine has no other address: a proxy that says so stands in');
  const passedOn = await postJson(app.url, URLS, { 'x-forwarded-for': '203.0.113.7' });
  t.equal(passedOn.status, 403);
  t.strictSame(app.simulator.calls(), [], 'Modellix heard of nothing');

  t.equal((await postJson(app.url, URLS)).status, 202, 'a program here is served');
  t.equal(app.simulator.ledger().length, 1);
});

t.test('HTTP/1.0 needs no Host, and a page needs one', async (t) => {
  const { url } = await startApp(t);
  const get = (...headers: string[]) =>
    sendRaw(url, ['GET /avatars/av_1 HTTP/1.0', ...headers, '', ''].join('\r\n'));
  t.match(await get(), /^HTTP\/1\.1 404 /);
  t.match(await get('Origin: http://localhost'), /^HTTP\/1\.1 403 /);
});
