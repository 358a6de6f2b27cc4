/** https: certificates are verified as usual, and the guard is in the way there as well. */

import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer as createHttps } from 'node:https';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import t, { type Test } from 'tap';
import { argsFor } from '../support/build.js';
import { type Certificates, certificates } from '../support/certificates.js';
import { answering, failed, fetcherFor, httpServer, listen, NOT_PUBLIC } from './support.js';

const run = promisify(execFile);

async function httpsServer(t: Test, { caFile }: Certificates, host?: string) {
  const dir = join(caFile, '..');
  const [key, cert] = ['redis.key', 'redis.pem'].map((name) => readFileSync(join(dir, name)));
  const server = createHttps({ key, cert }, (request, response) => {
    response.end(`file for ${request.headers.host}`);
  });
  server.on('tlsClientError', () => {});
  return listen(t, server, host);
}

t.test('an authority that is trusted, and names', async (t) => {
  const authority = await certificates(t, 'DNS:tls.test,IP:127.0.0.2');
  const { port } = await httpsServer(t, authority);
  const inside = await httpsServer(t, authority, '127.0.0.1');
  // Node reads further authorities only when it starts.
  const env = { ...process.env, NODE_EXTRA_CA_CERTS: authority.caFile };
  const fetched = async (url: string) => {
    const { stdout } = await run(process.execPath, [...argsFor('test/outbound/fetch-once'), url], { env });
    return JSON.parse(stdout.trim());
  };
  t.equal(await fetched(`https://tls.test:${port}/`), `file for tls.test:${port}`);
  t.equal(await fetched(`https://127.0.0.2:${port}/`), `file for 127.0.0.2:${port}`);
  t.strictSame(
    await fetched(`https://other.test:${port}/`),
    failed("the host's certificate is for another name"),
  );
  t.strictSame(await fetched(`https://inside.test:${inside.port}/`), NOT_PUBLIC);
  t.equal(inside.sockets.length, 0);
  const first = await httpServer(t, answering(302, { location: `https://tls.test:${port}/` }));
  t.equal(await fetched(first.origin), `file for tls.test:${port}`);
});

t.test('an authority that nobody trusts', async (t) => {
  const { port } = await httpsServer(t, await certificates(t, 'IP:127.0.0.2'));
  const answer = await fetcherFor(t).fetch(`https://127.0.0.2:${port}/`, 1000);
  t.strictSame(answer, failed("the host's certificate is not trusted"));
});

t.test('a host that speaks no TLS, and one that says nothing', async (t) => {
  const plain = await httpServer(t, answering(200, {}, 'file'));
  const answer = await fetcherFor(t).fetch(`https://127.0.0.2:${plain.port}/`, 1000);
  t.match(answer, { kind: 'unreachable' });
  t.comment(JSON.stringify(answer));
  t.equal(plain.requests.length, 0);
  const silent = await listen(t, createServer());
  const late = await fetcherFor(t, { timeoutMs: 200 }).fetch(`https://127.0.0.2:${silent.port}/`, 1000);
  t.strictSame(late, failed('not complete within 0.2 s'));
});
