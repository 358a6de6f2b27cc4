/** What stands in every answer: who may keep it, and what a browser may make of it. */

import { readFileSync } from 'node:fs';
import t from 'tap';
import { startApp } from '../support/app.js';
import { FILE, type OpenApi } from '../support/openapi.js';
import { createAvatar, sendRaw, URLS } from '../support/requests.js';

const { paths } = JSON.parse(readFileSync(FILE, 'utf8')) as OpenApi;

const API_POLICY = "default-src 'none';base-uri 'none';form-action 'none';frame-ancestors 'none'";

/** What the document promises of `Cache-Control`. */
function promisedCaching(method: string, path: string, status: number): string | undefined {
  const headers = paths[path]?.[method.toLowerCase()]?.responses[status]?.headers;
  const described = headers?.['Cache-Control'] as
    | { readonly schema?: { readonly const?: string } }
    | undefined;
  return described?.schema?.const;
}

t.test('headers', async (t) => {
  const { url } = await startApp(t);
  const { id } = await createAvatar(url);

  await t.test('nobody keeps an answer, unless it says otherwise, as the document says', async (t) => {
    const json = { 'content-type': 'application/json' };
    const DROP_IN = '/api/v1/image-to-video/kling/kling-avatar/async';
    const requests: readonly [string, string, string, number, object?][] = [
      ['POST', '/avatars', '/avatars', 202, URLS],
      ['POST', '/avatars', '/avatars', 422, {}],
      ['POST', '/avatars/check', '/avatars/check', 200, URLS],
      ['GET', '/avatars', '/avatars', 200],
      ['GET', '/avatars', '/avatars?limit=none', 400],
      ['GET', '/avatars/{id}', `/avatars/${id}`, 200],
      ['GET', '/avatars/{id}', '/avatars/av_0', 404],
      ['GET', '/avatars/{id}/deliveries', `/avatars/${id}/deliveries`, 404],
      ['GET', '/avatars/{id}/video', `/avatars/${id}/video`, 409],
      ['POST', '/avatars/{id}/cancel', `/avatars/${id}/cancel`, 409],
      ['DELETE', '/avatars/{id}', `/avatars/${id}`, 409],
      ['POST', DROP_IN, DROP_IN, 400, {}],
      ['GET', '/livez', '/livez', 200],
      ['GET', '/readyz', '/readyz', 200],
      ['GET', '/metrics', '/metrics', 200],
    ];
    for (const [method, path, where, status, body] of requests) {
      const response = await fetch(url + where, {
        method,
        ...(body && { headers: json, body: JSON.stringify(body) }),
      });
      await response.arrayBuffer();
      const name = `${method} ${where} ${status}`;
      t.equal(response.status, status, name);
      const caching = response.headers.get('cache-control');
      t.equal(caching, promisedCaching(method, path, status), name);
      t.equal(caching, path === '/avatars/{id}' && status === 200 ? 'private, no-cache' : 'no-store', name);
    }
    const document = await fetch(`${url}/openapi.json`);
    t.equal(document.headers.get('cache-control'), 'no-store');
    const file = await fetch(`${url}/docs/static/swagger-ui.css`);
    t.match(file.headers.get('cache-control'), /^public/, 'files of the documentation are as before');
    await Promise.all([document.arrayBuffer(), file.arrayBuffer()]);
  });

  await t.test('nothing is a page, but the documentation', async (t) => {
    for (const path of ['/livez', `/avatars/${id}`, '/nowhere', '/docs/nothing', '/docs/static/index.css']) {
      const { headers } = await fetch(url + path);
      t.equal(headers.get('content-security-policy'), API_POLICY, path);
      t.equal(headers.get('x-content-type-options'), 'nosniff');
      t.equal(headers.get('x-frame-options'), 'DENY');
      t.equal(headers.get('referrer-policy'), 'no-referrer');
      t.equal(headers.get('cross-origin-resource-policy'), 'same-origin');
    }
    const page = await fetch(`${url}/docs`);
    const policy = page.headers.get('content-security-policy') ?? '';
    t.match(policy, /;script-src 'self';/);
    t.notMatch(policy, /unsafe-eval|script-src[^;]*unsafe/);
    t.match(policy, /default-src 'none'/);
  });

  await t.test('nothing says what it is made with, or speaks for TLS', async (t) => {
    for (const path of ['/livez', '/docs', '/nowhere', '/%zz']) {
      const { headers } = await fetch(url + path);
      for (const name of ['server', 'x-powered-by', 'strict-transport-security'])
        t.notOk(headers.has(name), name);
    }
  });

  await t.test('an event stream has them too', async (t) => {
    const leaving = new AbortController();
    const { headers } = await fetch(`${url}/avatars/events`, { signal: leaving.signal });
    t.equal(headers.get('cache-control'), 'no-store, no-transform');
    t.equal(headers.get('content-security-policy'), API_POLICY);
    leaving.abort();
  });

  await t.test('and what is answered before there is a request', async (t) => {
    const bare = {
      'not HTTP': 'nonsense\r\n\r\n',
      'no URL': 'GET /%zz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n',
      'a proxy': 'CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n',
    };
    for (const [name, bytes] of Object.entries(bare)) {
      const answer = await sendRaw(url, bytes);
      t.match(answer, /^HTTP\/1\.1 400 /, name);
      t.match(answer, /\r\ncache-control: no-store\r\n/i, name);
      t.match(answer, /\r\nx-content-type-options: nosniff\r\n/i, name);
      t.ok(answer.toLowerCase().includes(`\r\ncontent-security-policy: ${API_POLICY}\r\n`), name);
    }
  });
});
