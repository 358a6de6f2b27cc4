/** Callbacks of real processes: whatever dies, each end is told, and by one of them. */

import t, { type Test } from 'tap';
import { FINAL, wayTo } from '../faults/way.js';
import { startProcess } from '../faults/world.js';
import type { Simulator } from '../simulator/simulator.js';
import { WEBHOOK_SECRET } from '../support/app.js';
import { runGateway } from '../support/processes.js';
import { CALLBACK_NETWORKS, hold, startReceiver, status, verified } from '../support/receiver.js';
import { redisUrl, startRedis } from '../support/redis.js';
import { createAvatar, readAvatar, URLS } from '../support/requests.js';
import { until } from '../support/until.js';
import { finished, STORES, simulatorFor, tempDir } from './support.js';

t.setTimeout(600_000);

const CALLING = { WEBHOOK_SECRETS: WEBHOOK_SECRET, CALLBACK_NETWORKS };

type Env = Record<string, string>;

const toldOf = (url: string, id: string, state = 'delivered') =>
  until(`${id} is ${state}`, async () => {
    const avatar = await readAvatar(url, id);
    return avatar.callback?.state === state ? avatar : null;
  });

/** A gateway that stops for good behind the write of an end, and the settings of the next one. */
async function stoppedAtEnd(t: Test, store: string, simulator: Simulator, when: 'before' | 'after') {
  // Short time-outs make short leases.
  const short = { MODELLIX_CONNECT_TIMEOUT_SECONDS: '1', MODELLIX_QUERY_TIMEOUT_SECONDS: '1' };
  const env: Env = { ...CALLING, ...short, DATA_DIR: await tempDir(t) };
  if (store === 'embedded') {
    const stop = { STOP_AT: '"step":"deliver"', STOP_WHEN: when };
    const preload = { preload: './test/faults/stop-at-write.mjs' };
    const gateway = await startProcess(t, simulator, { ...env, ...stop }, preload);
    const isStopped = async () => gateway.output().includes('stopped at the write') || null;
    return { gateway, env, arm: () => until('it is stopped', isStopped) };
  }
  const { url, port } = await startRedis(t);
  const way = await wayTo(t, port);
  const gateway = await startProcess(t, simulator, { ...env, REDIS_URL: way.url });
  // With every script in Redis, each write is one command.
  await finished(gateway.url, (await createAvatar(gateway.url)).id);
  const arm = () => way.break(FINAL, 'hold', when === 'before' ? 'request' : 'reply');
  return { gateway, env: { ...env, REDIS_URL: url }, arm };
}

for (const { name: store, settings } of STORES) {
  for (const when of ['before', 'after'] as const) {
    t.test(`${store}: killed ${when} the end is written, the receiver is told once`, async (t) => {
      const simulator = await simulatorFor(t);
      const receiver = await startReceiver(t);
      const { gateway, env, arm } = await stoppedAtEnd(t, store, simulator, when);
      const stopped = arm();
      const { id } = await createAvatar(gateway.url, { ...URLS, callback_url: receiver.url });
      await stopped;
      t.equal(receiver.calls.length, 0, 'nobody was told');
      await gateway.stop('SIGKILL');

      const next = await startProcess(t, simulator, env);
      const avatar = await toldOf(next.url, id);
      t.equal(avatar.status, 'succeeded');
      const call = await receiver.call(0);
      t.equal(call.headers['webhook-id'], `${id}_${Date.parse(String(avatar.completed_at))}`);
      t.match(verified(call), { type: 'avatar.succeeded', data: { id } });
      t.equal(receiver.calls.length, 1);
    });
  }

  t.test(`${store}: killed while the receiver is told, it is told again under the same name`, async (t) => {
    const simulator = await simulatorFor(t);
    const receiver = await startReceiver(t, hold);
    // A short time-out makes a short lease.
    const env = { ...CALLING, ...(await settings(t)), CALLBACK_TIMEOUT_SECONDS: '1' };
    const gateway = await startProcess(t, simulator, env);
    const { id } = await createAvatar(gateway.url, { ...URLS, callback_url: receiver.url });
    await receiver.call(0);
    await gateway.stop('SIGKILL');
    receiver.answer = status(204);
    const next = await startProcess(t, simulator, env);
    await toldOf(next.url, id);
    const [first, second] = [await receiver.call(0), await receiver.call(1)];
    t.equal(second.headers['webhook-id'], first.headers['webhook-id']);
    t.equal(second.body, first.body);
    t.equal(receiver.calls.length, 2);
  });

  t.test(`${store}: at a stop what is under way is finished, and the rest is the next one's`, async (t) => {
    const simulator = await simulatorFor(t);
    const receiver = await startReceiver(t, hold);
    const env = { ...CALLING, ...(await settings(t)), CALLBACK_TIMEOUT_SECONDS: '30' };
    const gateway = await startProcess(t, simulator, env);
    const body = { ...URLS, callback_url: receiver.url };
    const made = await Promise.all(Array.from({ length: 12 }, () => createAvatar(gateway.url, body)));
    const ids = made.map(({ id }) => id);
    await receiver.call(7);
    for (const id of ids) await finished(gateway.url, id);
    const exited = gateway.stop('SIGTERM');
    await until('it stops', async () => gateway.output().includes('"stopping"') || null);
    receiver.answer = status(204);
    const [cut, ...answered] = receiver.calls;
    for (const { response } of answered) response.writeHead(204).end();
    cut?.response.destroy();
    t.equal(await exited, 0);
    t.equal(receiver.calls.length, 8, 'nothing new was begun');

    const startedAt = performance.now();
    const next = await startProcess(t, simulator, env);
    for (const id of ids) await toldOf(next.url, id);
    t.ok(performance.now() - startedAt < 30_000, 'no lease had to lapse');
    for (const id of ids) {
      const log = await (await fetch(`${next.url}/avatars/${id}/deliveries`)).json();
      t.match(log, { data: [{ attempt: 1, status: 204 }] }, 'what was cut off is no failure of the receiver');
      t.equal((log as { data: unknown[] }).data.length, 1);
    }
    const names = receiver.calls.map(({ headers }) => String(headers['webhook-id']));
    t.equal(names.length, 13);
    t.equal(new Set(names).size, 12, 'the one that was cut off was told under its name again');
  });
}

t.test('two replicas: each end is told by one of them', async (t) => {
  const simulator = await simulatorFor(t);
  const receiver = await startReceiver(t, (response) =>
    setImmediate(() => response.writeHead(200).end('ok')),
  );
  const { url, prefix } = await redisUrl(t);
  const env = { ...CALLING, REDIS_URL: url, REDIS_KEY_PREFIX: prefix };
  const replicas = await Promise.all(
    [0, 1].map(async () => startProcess(t, simulator, { ...env, DATA_DIR: await tempDir(t) })),
  );
  const at = (i: number) => replicas[i % 2]?.url ?? '';
  const body = { ...URLS, callback_url: receiver.url };
  const made = await Promise.all(Array.from({ length: 60 }, (_, i) => createAvatar(at(i), body)));
  for (const [i, { id }] of made.entries()) await toldOf(at(i + 1), id);
  const told = receiver.calls.map((call) => verified(call).data.id).sort();
  t.same(told, made.map(({ id }) => id).sort(), 'each once');
  const tellings = () =>
    replicas.reduce((sum, { output }) => sum + output().split('the receiver was told').length - 1, 0);
  await until('all are in the logs', async () => tellings() >= 60 || null);
  t.equal(tellings(), 60);
});

t.test('a wrong secret stops the start', async (t) => {
  const { code, stderr } = await runGateway([], { MODELLIX_API_KEY: 'k', WEBHOOK_SECRETS: 'whsec_c2hvcnQ=' });
  t.equal(code, 2);
  t.equal(
    stderr,
    'avatar-gateway: WEBHOOK_SECRETS: secret 1 of 1 is not whsec_ and the base64 of 24 to 64 bytes\n',
  );
});
