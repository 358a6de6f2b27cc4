/** A gateway that reaches Modellix and its video host by a forward proxy alone, as the environment names it. */

import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type AddressInfo, connect } from 'node:net';
import { createServer as createTls } from 'node:tls';
import t, { type Test } from 'tap';
import { certificates } from '../support/certificates.js';
import { startProxy } from '../support/proxy.js';
import { until } from '../support/until.js';
import { create, finished, gatewayFor, read, settingsFor, simulatorFor, tempDir } from './support.js';

t.setTimeout(600_000);

const PASSWORD = 'pr0xy:pa55word@example';
const LOGIN = `somebody:${encodeURIComponent(PASSWORD)}`;

/** Modellix by TLS at `api.modellix.test`, and its videos at `file.modellix.test`: names that only the proxy knows. */
async function behindProxy(t: Test) {
  const simulator = await simulatorFor(t, { settings: { publicUrl: 'http://file.modellix.test' } });
  const { args, caFile } = await certificates(t, 'DNS:api.modellix.test');
  const pem = (name: string) => readFileSync(args[args.indexOf(`--tls-${name}-file`) + 1] ?? '');
  const tls = createTls({ cert: pem('cert'), key: pem('key') }, (near) => {
    const far = connect(simulator.port, '127.0.0.1');
    near.on('error', () => far.destroy()).pipe(far);
    far.on('error', () => near.destroy()).pipe(near);
  });
  await once(tls.listen(0, '127.0.0.1'), 'listening');
  t.teardown(() => void tls.close());
  const proxy = await startProxy(t, {
    'api.modellix.test:443': (tls.address() as AddressInfo).port,
    'file.modellix.test:80': simulator.port,
  });
  const env = {
    ...settingsFor(simulator),
    MODELLIX_BASE_URL: 'https://api.modellix.test',
    NODE_EXTRA_CA_CERTS: caFile,
    DATA_DIR: await tempDir(t),
    SUBMIT_GRACE_SECONDS: '1',
  };
  return { simulator, proxy, env };
}

t.test('[R10] HTTPS_PROXY and HTTP_PROXY lead to Modellix and its videos', async (t) => {
  const { simulator, proxy, env } = await behindProxy(t);
  const way = `http://${LOGIN}@${proxy.address}`;
  const gateway = await gatewayFor(t, { ...env, HTTPS_PROXY: way, HTTP_PROXY: way });
  const { id } = await create(t, gateway.url);
  t.match(await finished(gateway.url, id), { status: 'succeeded' });
  const video = await fetch(`${gateway.url}/avatars/${id}/video`);
  t.equal(video.status, 200);
  t.ok((await video.arrayBuffer()).byteLength > 1000);
  t.equal(simulator.calls('submit').length, 1);
  const ways = new Set(proxy.asked.map(({ to }) => to));
  t.same([...ways].sort(), ['api.modellix.test:443', 'file.modellix.test:80']);
  for (const { login } of proxy.asked) t.equal(login, `somebody:${PASSWORD}`);
  t.match(gateway.output(), `"proxy":"${proxy.address}"`, 'the log says so');
  for (const secret of ['pa55word', Buffer.from(`somebody:${PASSWORD}`).toString('base64')]) {
    t.notOk(gateway.output().includes(secret), 'and shows no password');
  }
});

for (const refusal of [407, 502, 'reset'] as const) {
  t.test(`[R10] a CONNECT that meets ${refusal}: queued, and sent once when there is a way`, async (t) => {
    const { simulator, proxy, env } = await behindProxy(t);
    proxy.behave(refusal);
    const gateway = await gatewayFor(t, { ...env, https_proxy: proxy.address });
    const { id } = await create(t, gateway.url);
    t.ok(proxy.asked.length > 0, 'the proxy was asked');
    t.match(await read(gateway.url, id), { status: 'queued' });
    const reason = refusal === 'reset' ? 'the proxy cannot be used' : `the proxy answered ${refusal}`;
    await until('the log says why', async () => gateway.output().includes(reason) || null);
    proxy.behave('tunnel');
    t.match(await finished(gateway.url, id), { status: 'succeeded' });
    t.equal(simulator.calls('submit').length, 1);
    t.equal(simulator.ledger().length, 1);
  });
}

t.test('[R10] a tunnel that breaks after the request: unconfirmed, and never sent again', async (t) => {
  const { simulator, proxy, env } = await behindProxy(t);
  const gateway = await gatewayFor(t, { ...env, HTTPS_PROXY: proxy.address });
  const answer = simulator.inject({ on: 'submit', when: 'after', do: { hold: true } });
  const posted = create(t, gateway.url);
  await answer.met;
  proxy.cut();
  const { id } = await posted;
  t.match(await finished(gateway.url, id), { status: 'unconfirmed' });
  t.match(await finished(gateway.url, (await create(t, gateway.url)).id), { status: 'succeeded' });
  t.equal(simulator.calls('submit').length, 2, 'one each');
});

t.test('[R10] NO_PROXY, and this machine: reached directly', async (t) => {
  const simulator = await simulatorFor(t);
  const proxy = await startProxy(t, {});
  const env = { ...settingsFor(simulator), HTTP_PROXY: proxy.address, HTTPS_PROXY: proxy.address };
  const gateway = await gatewayFor(t, { ...env, DATA_DIR: await tempDir(t) });
  t.match(await finished(gateway.url, (await create(t, gateway.url)).id), { status: 'succeeded' });

  const url = 'http://modellix.invalid';
  const named = await gatewayFor(t, {
    ...{ ...env, MODELLIX_BASE_URL: url, NO_PROXY: 'example.com, .invalid', DATA_DIR: await tempDir(t) },
    SUBMIT_GRACE_SECONDS: '1',
  });
  await create(t, named.url);
  await until('its name is looked up here', async () => /host name/.test(named.output()) || null);
  t.same(proxy.asked, []);
  t.notMatch(named.output(), '"proxy":');
});
