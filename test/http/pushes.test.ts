/** Modellix pushes: an avatar is polled when its task has ended, by whichever replica is told, and only then. */

import t, { type Test } from 'tap';
import type { AvatarView } from '../../src/http/schemas/avatar.js';
import { KEY, tempDir } from '../e2e/support.js';
import type { PushEntry } from '../simulator/simulator.js';
import { type AppOverrides, type RunningApp, startApp } from '../support/app.js';
import { startGateway } from '../support/processes.js';
import { STORES, startReplicas } from '../support/replicas.js';
import { postJson, URLS } from '../support/requests.js';
import { until } from '../support/until.js';

const PUSHES = { url: 'https://push.example/hooks', listen: null };
/** Left alone, nobody polls. */
const HOUR_MS = 3_600_000;
const PUSHED: AppOverrides = {
  pushes: PUSHES,
  gateway: { pollMinMs: HOUR_MS, pollMaxMs: HOUR_MS },
};

async function make(app: RunningApp): Promise<AvatarView> {
  const response = await postJson(app.url, URLS);
  t.equal(response.status, 202);
  return (await response.json()) as AvatarView;
}

const ended = (app: RunningApp, { id }: AvatarView) =>
  until('it has ended', async () => {
    const avatar = (await (await fetch(`${app.url}/avatars/${id}`)).json()) as AvatarView;
    return avatar.completed_at === null ? null : avatar;
  });

/** Where Modellix was told to push an avatar's task, at a gateway. */
function pushUrl({ simulator }: RunningApp, { task_id }: AvatarView, at: RunningApp): string {
  const entry = simulator.ledger().find(({ taskId }) => taskId === task_id);
  const given = String(entry?.headers['x-webhook-url']);
  return given.replace(PUSHES.url, at.pushUrl ?? at.url);
}

const post = (url: string, init: RequestInit = {}) => fetch(url, { method: 'POST', ...init });

/** Two replicas; what is pushed comes to the other one. */
async function pushed(t: Test, store: (typeof STORES)[number], overrides: AppOverrides = {}) {
  const { one, other } = await startReplicas(t, store, { ...PUSHED, ...overrides });
  const { simulator } = one;
  simulator.configure({ pushes: { origins: [other.pushUrl ?? other.url], retryMs: 100 } });
  return { one, other, simulator, queries: () => simulator.calls('query').length };
}

for (const store of STORES) {
  t.test(`${store}: an avatar succeeds by a push, with two calls to Modellix`, async (t) => {
    const { one, other, simulator, queries } = await pushed(t, store);
    const avatars = [await make(one), await make(one)];
    const urls = avatars.map((avatar) => pushUrl(one, avatar, other));
    t.not(urls[0], urls[1]);
    for (const [at, { id }] of avatars.entries()) {
      t.match(urls[at], new RegExp(`/modellix/${id}\\.[\\w-]{43}$`));
      t.notOk(JSON.stringify(simulator.ledger()[at]?.headers).includes('"x-webhook-url":"http:'));
    }
    t.equal(queries(), 0);
    for (const avatar of avatars) {
      const answered = simulator.nextPush();
      simulator.settle(String(avatar.task_id), { end: 'success' });
      t.match(await answered, { status: 204, retry: 0, taskId: avatar.task_id });
      t.match(await ended(one, avatar), { status: 'succeeded' });
    }
    t.equal(queries(), 2, 'one each');
  });

  t.test(`${store}: twice, late and forged ones bring about nothing more`, async (t) => {
    const { one, other, simulator, queries } = await pushed(t, store);
    const avatar = await make(one);
    const url = pushUrl(one, avatar, other);
    simulator.configure({ pushes: { neverShare: 1 } });
    simulator.settle(String(avatar.task_id), { end: 'failed' });
    for (const forged of [url.replace(/.$/, (last) => (last === 'A' ? 'Q' : 'A')), `${url}x`, `${url}.x`]) {
      t.equal((await post(forged)).status, 404);
    }
    const another = await make(one);
    const stolen = pushUrl(one, another, other).replace(another.id, avatar.id);
    t.equal((await post(stolen)).status, 404, 'the signature is of one avatar');
    t.equal(queries(), 0);
    const answers = await Promise.all([post(url), post(url), post(url)]);
    t.strictSame(
      answers.map(({ status }) => status),
      [204, 204, 204],
    );
    t.match(await ended(one, avatar), { status: 'failed' });
    t.equal((await post(url)).status, 204, 'late');
    t.equal((await fetch(`${one.url}/avatars/${avatar.id}`, { method: 'DELETE' })).status, 204);
    t.equal((await post(url)).status, 204, 'forgotten');
    t.equal(queries(), 1);
  });

  t.test(`${store}: before the answer to the submit it is asked for again`, async (t) => {
    const { one, simulator, queries } = await pushed(t, store);
    const held = simulator.inject({ on: 'submit', when: 'after', do: { hold: true } });
    const answer = postJson(one.url, URLS);
    await held.met;
    const [task] = simulator.tasks();
    const early = simulator.nextPush();
    simulator.settle(String(task?.id), { end: 'success' });
    t.match(await early, { status: 503 });
    held.release();
    const avatar = (await (await answer).json()) as AvatarView;
    t.match(await ended(one, avatar), { status: 'succeeded' });
    t.equal(queries(), 1);
    const tries = simulator.pushes();
    t.match(tries.at(-1), { status: 204 });
    t.strictSame(
      tries.map(({ retry }) => retry),
      tries.map((_, at) => at),
    );
  });

  t.test(`${store}: one that says nothing new is followed by the next after two seconds`, async (t) => {
    const { one, other, simulator } = await pushed(t, store);
    const avatar = await make(one);
    const url = pushUrl(one, avatar, other);
    const first = simulator.nextEnd('query');
    t.equal((await post(url)).status, 204);
    await first;
    simulator.settle(String(avatar.task_id), { end: 'success' });
    t.match(await ended(one, avatar), { status: 'succeeded' });
    const [before, after, ...more] = simulator.calls('query');
    t.strictSame(more, []);
    const gapMs = Number(after?.at) - Number(before?.endedAt);
    t.ok(gapMs > 1_900, `${gapMs} ms`);
  });

  t.test(`${store}: on a port of its own there is nothing else, and it is nowhere else`, async (t) => {
    const listen = { host: '127.0.0.1', port: 0 };
    const { one, other } = await pushed(t, store, { pushes: { ...PUSHES, listen } });
    const avatar = await make(one);
    const there = pushUrl(one, avatar, other);
    t.equal((await post(there.replace(String(other.pushUrl), other.url))).status, 404);
    t.equal((await post(there)).status, 204);
    t.equal((await post(there.replace('/modellix', '/hooks/modellix'))).status, 204, 'as Modellix is told');
    for (const path of ['/avatars', '/livez', '/readyz', '/metrics', '/docs', '/openapi.json', '/']) {
      t.equal((await fetch(`${other.pushUrl}${path}`)).status, 404, path);
    }
  });
}

t.test('a token stands in no log', async (t) => {
  const app = await startApp(t, { ...PUSHED, pushes: PUSHES, publicUrl: 'http://gateway.example/base' });
  const avatar = await make(app);
  const url = pushUrl(app, avatar, app);
  const token = url.slice(url.lastIndexOf('.') + 1);
  const statuses: number[] = [];
  for (const init of [{}, { method: 'GET' }, { method: 'PUT' }, { body: 'x'.repeat(300_000) }]) {
    for (const at of [
      url,
      `${url}x`,
      url.replace('/modellix', '/base/modellix'),
      url.replace('/modellix', '/a/modellix'),
    ]) {
      statuses.push((await post(at, init)).status);
    }
  }
  t.strictSame([...new Set(statuses)].sort(), [204, 404, 405, 413]);
  const lines = app.logLines();
  t.ok(
    lines.some((line) => line.includes('/modellix/…')),
    'the request does',
  );
  t.notOk(lines.join('\n').includes(token));
});

t.test('without the setting there is neither a header nor a route', async (t) => {
  const app = await startApp(t);
  const avatar = await make(app);
  const entry = app.simulator.ledger().find(({ taskId }) => taskId === avatar.task_id);
  t.notOk('x-webhook-url' in (entry?.headers ?? {}));
  t.equal((await post(`${app.url}/modellix/${avatar.id}.x`)).status, 404);
  t.strictSame(app.simulator.pushes(), [] satisfies PushEntry[]);
});

t.test('a process listens for pushes where it is told to', async (t) => {
  const gateway = await startGateway({
    MODELLIX_API_KEY: KEY,
    DATA_DIR: await tempDir(t),
    MODELLIX_WEBHOOK_URL: PUSHES.url,
    MODELLIX_WEBHOOK_PORT: '0',
  });
  t.teardown(() => gateway.stop('SIGKILL'));
  const [main, there] = await until('it listens on both', async () => {
    const found = [...gateway.output().matchAll(/Server listening at (http:[^"]+)"/g)].map(([, url]) => url);
    return found.length === 2 ? found : null;
  });
  t.equal((await fetch(`${main}/modellix/x`)).status, 404);
  t.equal((await fetch(`${there}/modellix/x`)).status, 405);
  t.equal((await post(`${there}/modellix/x`)).status, 404);
  t.equal(await gateway.stop(), 0);
});
