import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { finished, gatewayFor, settingsFor, simulatorFor, tempDir } from '../e2e/support.js';
import { clientOf } from '../store/fixtures-redis.js';
import type { RunningApp } from '../support/app.js';
import { runGateway } from '../support/processes.js';
import { type RedisServerOptions, startRedis } from '../support/redis.js';
import { until } from '../support/until.js';
import { atRest } from './at-rest.js';
import { showCases } from './cases.js';
import { diskOf } from './disk.js';
import { loads } from './loading.js';
import { isPaidOnce, passes, Subject } from './subject.js';
import { inStatus, wayTo } from './way.js';
import { errorsOf, startWorld } from './world.js';

t.setTimeout(300_000);

const DURABLE: RedisServerOptions = { appendonly: true, args: ['--appendfsync', 'always'] };

/** A gateway on a Redis of its own, which a test may ill-treat. */
async function ownRedis(t: Test, options: RedisServerOptions = DURABLE) {
  const server = await startRedis(t, options);
  const redis = { url: server.url, prefix: 'faults' };
  const app = await startWorld(t, 'redis', { redis });
  await isReady(app);
  return { server, app, client: clientOf(t, server.url) };
}

const isReady = ({ url }: { url: string }) =>
  until('it is ready', async () => ((await fetch(`${url}/readyz`)).ok ? true : null));

/** Alive, not ready, and says so to whoever posts; resolves with what was posted. */
async function isAway(t: Test, app: Pick<RunningApp, 'url' | 'simulator'>, key?: string): Promise<Subject> {
  t.equal((await fetch(`${app.url}/livez`)).status, 200);
  t.equal((await fetch(`${app.url}/readyz`)).status, 503);
  const subject = await Subject.post(app, key === undefined ? {} : { key });
  t.equal(subject.status, 503);
  t.match(subject.answer, { type: /:store-unavailable$/ });
  t.match(subject.headers.get('retry-after'), /^[1-9]\d*$/);
  return subject;
}

/** One avatar whose submit is answered and whose answer is held back, and one that is due for its submit in a second. */
async function underWay(app: Pick<RunningApp, 'url' | 'simulator'>) {
  const { simulator } = app;
  const dueAt = Date.now() + 1000;
  simulator.inject({ on: 'submit', do: { status: 429, headers: { 'retry-after': '1' } } });
  const waiting = await Subject.post(app);
  const answer = simulator.inject({ on: 'submit', when: 'after', do: { hold: true } });
  const posted = Subject.post(app);
  await answer.met;
  return {
    waiting,
    posted,
    /** Lets the answer come, and the other avatar's time. */
    async goOn() {
      answer.release();
      await until('it is due', async () => (Date.now() > dueAt + 1000 ? true : null));
    },
  };
}

await showCases(t, 'store', {
  async 19(t) {
    const server = await startRedis(t);
    await server.stop();
    const app = await startWorld(t, 'redis', { redis: { url: server.url, prefix: 'faults' } });
    const early = await isAway(t, app);
    await server.start();
    await isReady(app);
    await isPaidOnce(t, await Subject.post(app));
    await passes(app);
    t.same(early.posts(), []);
  },

  async 20(t) {
    const { server, app, client } = await ownRedis(t);
    const before = await Subject.post(app);
    await server.kill();
    const refused = await isAway(t, app, 'key-1');
    await server.start();
    await isReady(app);
    await isPaidOnce(t, before);
    await passes(app);
    t.same(refused.posts(), [], 'nothing was sent');
    t.equal((await client.keys('*:avatar:*')).length, 2, 'and nothing made');
    const again = await Subject.post(app, { key: 'key-1' });
    t.equal(again.headers.get('idempotent-replayed'), null);
    await isPaidOnce(t, again);
    t.equal(again.posts().length, 1);
  },

  async 21(t) {
    const { server, app } = await ownRedis(t);
    const spool = async () => readdir(join(app.config.dataDir, 'answers'));
    const answer = app.simulator.inject({ on: 'submit', when: 'after', do: { hold: true } });
    const posted = Subject.post(app);
    await answer.met;
    await server.kill();
    answer.release();
    const subject = await posted;
    t.equal(subject.status, 202);
    const [file] = await until('it is spooled', async () => {
      const files = await spool();
      return files.some((name) => name.endsWith('.json')) ? files : null;
    });
    t.match(file, subject.id);
    await server.start();
    t.match(await subject.becomes('pending'), { task_id: subject.tasks()[0]?.taskId });
    await until('the spool is empty', async () => ((await spool()).length === 0 ? true : null));
    await isPaidOnce(t, subject);

    // The gateway dies with Redis away, so that all it leaves is the spool.
    const simulator = await simulatorFor(t);
    const dataDir = await tempDir(t);
    const env = {
      ...settingsFor(simulator),
      REDIS_URL: server.url,
      DATA_DIR: dataDir,
      SUBMIT_GRACE_SECONDS: '1',
    };
    const first = await gatewayFor(t, env);
    const late = simulator.inject({ on: 'submit', when: 'after', do: { hold: true } });
    const orphan = await Subject.post({ url: first.url, simulator });
    t.match(orphan.answer, { status: 'submitting' });
    await server.kill();
    late.release();
    const isSpooled = async () =>
      (await readdir(join(dataDir, 'answers'))).some((name) => name.endsWith('.json')) || null;
    await until('it is spooled', isSpooled);
    await first.stop('SIGKILL');
    const second = await gatewayFor(t, env);
    await server.start();
    const { status, task_id } = await orphan.at(second).becomes('succeeded', 'unconfirmed');
    t.same([status, task_id], ['succeeded', orphan.tasks()[0]?.taskId]);
    t.same([orphan.posts().length, orphan.tasks().length], [1, 1]);
    t.equal(subject.posts().length, 1);
  },

  async 22(t) {
    const { server, app } = await ownRedis(t, {});
    const known = await Subject.post(app);
    const { waiting, posted, goOn } = await underWay(app);
    await server.kill();
    await server.start();
    await isReady(app);
    await goOn();
    await passes(app);
    const sent = await posted;
    for (const subject of [known, sent, waiting]) {
      t.equal((await fetch(`${app.url}/avatars/${subject.id}`)).status, 404);
      t.equal(subject.posts().length, 1);
    }
    t.same(
      [known, sent, waiting].map((subject) => subject.tasks().length),
      [1, 1, 0],
    );
    const lost = errorsOf(app).find(({ avatarId }) => avatarId === sent.id);
    t.match(
      lost,
      { taskId: sent.tasks()[0]?.taskId, msg: /no longer waits/ },
      'the task nobody waits for is named',
    );
  },

  async 23(t) {
    const server = await startRedis(t, DURABLE);
    const way = await wayTo(t, server.port);
    const app = await startWorld(t, 'redis', { redis: { url: way.url, prefix: 'faults' } });
    await isReady(app);
    await passes(app); // With every script in Redis, each command is one.
    const isSentOnce = async (subject: Subject) => {
      await isPaidOnce(t, subject);
      t.equal(subject.posts().length, 1);
    };
    /** An avatar whose command in this status meets the break. */
    const broken = async (text: string, which: 'request' | 'reply') => {
      const met = way.break(text, 'cut', which);
      const subject = await Subject.post(app);
      await met;
      await isReady(app);
      return subject;
    };
    await isSentOnce(await broken(inStatus('pending'), 'reply'));
    await isSentOnce(await broken(inStatus('pending'), 'request'));
    await isSentOnce(await broken(inStatus('submitting'), 'reply'));
    const unintended = await broken(inStatus('submitting'), 'request');
    await app.lapse(unintended.id);
    await isSentOnce(unintended);

    const ending = await Subject.post(app);
    const met = way.break(inStatus('succeeded'), 'cut', 'reply');
    await isSentOnce(ending);
    await met;

    // The claim of one that waits.
    app.simulator.inject({ on: 'submit', do: { status: 429 } });
    const waiting = await Subject.post(app);
    await way.break(waiting.id, 'cut', 'reply');
    await isReady(app);
    await app.lapse(waiting.id);
    await isPaidOnce(t, waiting);

    // The making: whoever asks again with the key finds what was made.
    const made = way.break(inStatus('queued'), 'cut', 'reply');
    t.equal((await Subject.post(app, { key: 'key-1' })).status, 503);
    await made;
    await isReady(app);
    const again = await Subject.post(app, { key: 'key-1' });
    t.equal(again.headers.get('idempotent-replayed'), 'true');
    await app.lapse(again.id);
    await again.becomes('pending', 'processing');
    await again.succeeds();
    t.equal(app.simulator.ledger().length, 8, 'a task each, and the bystander');
    t.equal(app.simulator.calls('submit').length, 9, 'and one that was refused');
  },

  async 24(t) {
    const { app, client } = await ownRedis(t);
    const flush = () => client.script('FLUSH');
    await passes(app);
    await flush();
    const answer = app.simulator.inject({ on: 'submit', when: 'after', do: { hold: true } });
    const posted = Subject.post(app);
    await answer.met;
    await flush();
    answer.release();
    const subject = await posted;
    t.match(subject.answer, { status: 'pending' });
    await app.simulator.nextCall('query');
    await flush();
    await isPaidOnce(t, subject);
    t.equal(subject.posts().length, 1);
    t.same(errorsOf(app), []);
  },

  async 25(t) {
    const { server, app, client } = await ownRedis(t, { ...DURABLE, args: ['--lua-time-limit', '5'] });
    const during = async (begin: () => Promise<unknown>, end: () => Promise<unknown>) => {
      const { waiting, posted, goOn } = await underWay(app);
      await begin();
      const refused = await isAway(t, app);
      await goOn();
      t.equal(waiting.posts().length, 1, 'what is due waits for its intent');
      await end();
      const sent = await posted;
      for (const subject of [sent, waiting]) await isPaidOnce(t, subject);
      t.same(
        [sent, waiting, refused].map((subject) => subject.posts().length),
        [1, 2, 0],
      );
    };
    await t.test('OOM', () =>
      during(
        () => client.config('SET', 'maxmemory', '1'),
        () => client.config('SET', 'maxmemory', '0'),
      ),
    );
    await t.test('READONLY', () =>
      during(
        () => client.call('REPLICAOF', '127.0.0.1', '1'),
        () => client.call('REPLICAOF', 'NO', 'ONE'),
      ),
    );
    await t.test('BUSY', () =>
      during(
        async () => {
          clientOf(t, server.url)
            .eval('while true do end', 0)
            .catch(() => {});
          await until('it is busy', () =>
            client.ping().then(
              () => null,
              () => true,
            ),
          );
        },
        () => client.script('KILL'),
      ),
    );
    await t.test('LOADING', (t) => loads(t, isAway));
  },

  async 27(t, store) {
    const app = await startWorld(t, store);
    await app.simulator.pause();
    const [bad, good] = [await Subject.post(app), await Subject.post(app)];
    await app.close();
    const rest = atRest(t, app.config);
    const whole = await rest.record(bad.id);
    const torn = String(whole).slice(0, 100);
    await rest.overwrite(bad.id, torn);
    await app.simulator.resume();
    const again = await app.restart();
    await isPaidOnce(t, good.at(again));
    await passes(again);
    t.equal((await fetch(`${again.url}/avatars/${bad.id}`)).status, 500, 'it is not said to be unknown');
    t.same(bad.posts(), []);
    await again.close();
    t.same([await rest.record(bad.id), await rest.aside(bad.id)], [null, torn]);
  },

  28: (t) => diskOf(t, isAway, underWay),

  async 29(t) {
    const simulator = await simulatorFor(t);
    const env = { ...settingsFor(simulator), DATA_DIR: await tempDir(t) };
    const first = await gatewayFor(t, env);
    const { code, stderr } = await runGateway([], env);
    t.equal(code, 1);
    t.match(stderr, /^avatar-gateway: the data directory \S+ is in use by another process\n$/);
    const subject = await Subject.post({ url: first.url, simulator });
    t.match(await finished(first.url, subject.id), { status: 'succeeded' });
    t.same([subject.posts().length, subject.tasks().length], [1, 1]);
  },
});
