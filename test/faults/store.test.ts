import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { finished, gatewayFor, settingsFor, simulatorFor, tempDir } from '../e2e/support.js';
import { startApp } from '../support/app.js';
import { runGateway } from '../support/processes.js';
import { startRedis } from '../support/redis.js';
import { until } from '../support/until.js';
import { atRest } from './at-rest.js';
import { showCases } from './cases.js';
import { fillsUp } from './disk.js';
import { losesReplies } from './lost-replies.js';
import { isAway, ownRedis, underWay } from './outage.js';
import { refuses } from './refusals.js';
import { isPaidOnce, passes, Subject } from './subject.js';
import { errorsOf, isReady, startProcess, startWorld } from './world.js';

t.setTimeout(600_000);

/** The name of an answer that waits for the store on this machine's disk. */
async function spooled(dataDir: string): Promise<string | null> {
  const files = await readdir(join(dataDir, 'answers'));
  return files.find((name) => name.endsWith('.json')) ?? null;
}

await showCases(t, 'store', {
  async 19(t) {
    const server = await startRedis(t);
    await server.stop();
    const app = await startApp(t, { redis: { url: server.url, prefix: 'faults' } });
    const early = await isAway(t, app);
    await server.start();
    await isReady(app);
    const subject = await Subject.post(app);
    t.match(subject.answer, { status: 'pending' });
    await isPaidOnce(t, subject);
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
    const answer = app.simulator.inject({ on: 'submit', when: 'after', do: { hold: true } });
    const posted = Subject.post(app);
    await answer.met;
    await server.kill();
    answer.release();
    const subject = await posted;
    t.equal(subject.status, 202);
    t.match(await until('it is spooled', () => spooled(app.config.dataDir)), subject.id);
    await server.start();
    t.match(await subject.becomes('pending'), { task_id: subject.tasks()[0]?.taskId });
    await until('the spool is empty', async () => (await spooled(app.config.dataDir)) === null || null);
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
    const first = await startProcess(t, simulator, env);
    const late = simulator.inject({ on: 'submit', when: 'after', do: { hold: true } });
    const orphan = await Subject.post(first);
    await late.met;
    t.equal((await orphan.read()).status, 'submitting');
    await server.kill();
    late.release();
    await until('it is spooled', () => spooled(dataDir));
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

  23: losesReplies,

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

  25: refuses,

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
    t.same([await rest.record(bad.id), await rest.quarantined(bad.id)], [null, torn]);
  },

  28: fillsUp,

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
