import { setTimeout as pause } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { settingsFor, simulatorFor, tempDir } from '../e2e/support.js';
import { until } from '../support/until.js';
import { atRest } from './at-rest.js';
import { type StoreName, showCases } from './cases.js';
import { killed } from './kills.js';
import { leavesOthers } from './others-files.js';
import { unread } from './readers.js';
import { stalled } from './stalls.js';
import { isPaidOnce, isUnconfirmed, passes, Subject } from './subject.js';
import { errorsOf, isReady, sharedRedis, startProcess, startWorld } from './world.js';

t.setTimeout(600_000);

const NEVER = { settings: { taskMs: { min: 3_600_000, max: 3_600_000 } } };

async function settingsOn(t: Test, store: StoreName): Promise<Record<string, string>> {
  const dir = { DATA_DIR: await tempDir(t) };
  if (store === 'embedded') return dir;
  const { url, prefix } = await sharedRedis();
  return { ...dir, REDIS_URL: url, REDIS_KEY_PREFIX: prefix };
}

await showCases(t, 'process', {
  30: killed,

  async 31(t, store) {
    const simulator = await simulatorFor(t);
    const env = await settingsOn(t, store);
    const gateway = await startProcess(t, simulator, env);
    const post = (count: number) => Array.from({ length: count }, () => Subject.post(gateway));
    // A process that was just started has few submits under way at the same time, and more with each that is answered.
    for (const subject of await Promise.all(post(6))) await subject.becomes('succeeded');
    const answers = simulator.inject({ on: 'submit', when: 'after', times: 8, do: { hold: true } });
    const posted = post(8);
    await until('all are made', async () => simulator.ledger().length >= 6 + 8 || null);
    // One is refused, and nobody is sent for as long as Modellix says.
    simulator.inject({ on: 'submit', do: { status: 429, headers: { 'retry-after': '4' } } });
    const waiting = [...(await Promise.all(post(1))), ...(await Promise.all(post(3)))];
    const dueBy = Date.now() + 4000;

    const exited = gateway.stop('SIGTERM');
    const isReady = () =>
      fetch(`${gateway.url}/readyz`).then(
        ({ ok }) => ok,
        () => false,
      );
    await until('it is not ready', async () => !(await isReady()) || null);
    const calls = simulator.calls().length;
    await until('those that wait are due', async () => Date.now() > dueBy + 500 || null);
    t.equal(simulator.calls().length, calls, 'nothing is claimed');
    answers.release();
    const answered = await Promise.all(posted);
    for (const { status, answer } of answered) t.match([status, answer], [202, { status: 'pending' }]);
    t.equal(await exited, 0);
    t.equal(simulator.calls().length, calls);

    const next = await startProcess(t, simulator, env);
    for (const subject of [...answered, ...waiting]) {
      await subject.at(next).becomes('succeeded');
      t.equal(subject.tasks().length, 1);
    }
    for (const subject of answered) t.equal(subject.posts().length, 1);
    t.same(
      waiting.map((subject) => subject.posts().length),
      [2, 1, 1, 1],
      'one was refused',
    );
  },

  32: stalled,

  async 33(t) {
    const app = await startWorld(t, 'redis');
    const other = await app.restart();
    await app.simulator.pause();
    const subjects = await Promise.all(
      Array.from({ length: 60 }, (_, at) =>
        Subject.post({ url: [app.url, other.url][at % 2] ?? '', simulator: app.simulator }),
      ),
    );
    for (const { answer } of subjects) t.match(answer.status, /^(queued|submitting)$/);
    await app.simulator.resume();
    // Due at once, so that both replicas find all of them in one pass.
    await Promise.all(subjects.map(({ id }) => app.lapse(id)));
    for (const subject of subjects) await isPaidOnce(t, subject);
    for (const subject of subjects) t.equal(subject.posts().length, 1);
    t.same([...errorsOf(app), ...errorsOf(other)], []);
  },

  async 34(t, store) {
    const simulator = await simulatorFor(t, NEVER);
    const env = {
      ...(await settingsOn(t, store)),
      MODELLIX_CONNECT_TIMEOUT_SECONDS: '1',
      MODELLIX_SUBMIT_TIMEOUT_SECONDS: '4',
      SHUTDOWN_GRACE_SECONDS: '1',
    };
    const gateway = await startProcess(t, simulator, env, { preload: './test/support/crash-on-message.mjs' });
    const known = await Subject.post(gateway);
    const answer = simulator.inject({ on: 'submit', when: 'after', do: { hold: true } });
    const lost = Subject.post(gateway, { key: 'key-1' }).catch(() => null);
    await answer.met;
    gateway.send('thrown by a test');
    t.equal(await gateway.exited, 1);
    const fatal = gateway
      .output()
      .split('\n')
      .find((line) => line.includes('"level":60'));
    t.match(JSON.parse(fatal ?? '{}'), {
      msg: 'an error nobody caught',
      err: { message: 'thrown by a test' },
    });
    t.equal(await lost, null);
    answer.release();

    const next = await startProcess(t, simulator, env);
    const again = await Subject.post(next, { key: 'key-1' });
    await isUnconfirmed(t, again, /^The gateway was cut off while the request was under way/);
    await isPaidOnce(t, known.at(next));
    await passes(next);
    t.equal(simulator.calls('submit').length, 3, 'one each, and the bystander');
  },

  async 35(t, store) {
    const app = await startWorld(t, store, { gateway: { queueTimeoutMs: 3_600_000 } });
    await app.simulator.pause();
    const [newer, known] = [await Subject.post(app), await Subject.post(app)];
    await app.close();
    const rest = atRest(t, app.config);
    const record = String(await rest.record(newer.id));
    const rewritten = record.replace(/^\d+ /, '999 ');
    await rest.overwrite(newer.id, rewritten);
    await app.simulator.resume();

    const older = await app.restart();
    await app.lapse(newer.id);
    await isPaidOnce(t, known.at(older));
    await passes(older);
    t.equal((await fetch(`${older.url}/avatars/${newer.id}`)).status, 503, 'it is not said to be unknown');
    t.same(newer.posts(), []);
    await older.close();
    t.same([await rest.record(newer.id), await rest.quarantined(newer.id)], [rewritten, null]);

    // As the newer release would find it: whole, and still to be sent.
    await rest.overwrite(newer.id, record);
    const newest = await app.restart();
    await app.lapse(newer.id);
    await isPaidOnce(t, newer.at(newest));
    t.equal(newer.posts().length, 1);
  },

  async 36(t) {
    const simulator = await simulatorFor(t, NEVER);
    // Half of what the clocks are off.
    const limits = { TASK_TIMEOUT_MINUTES: '30', QUEUE_TIMEOUT_MINUTES: '30' };
    const settings = { ...(await settingsOn(t, 'redis')), ...limits };
    const off = async (hours: number) => {
      const offMs = hours * 3_600_000;
      const env = { ...settings, DATA_DIR: await tempDir(t), CLOCK_OFF_MS: String(offMs) };
      const gateway = await startProcess(t, simulator, env, { preload: './test/faults/clock.mjs' });
      const loggedAt = Number(/"time":(\d+)/.exec(gateway.output())?.[1]);
      t.equal(Math.round((loggedAt - Date.now()) / 3_600_000), hours, `${hours} h off`);
      return gateway;
    };
    const clocks = await Promise.all([off(-1), off(0), off(1)]);
    const answers = simulator.inject({ on: 'submit', when: 'after', times: 3, do: { hold: true } });
    const posting = clocks.map((at) => Subject.post(at));
    await until('all are made', async () => simulator.ledger().length === 3 || null);
    await Promise.all(clocks.map(passes));
    t.equal(simulator.calls('submit').length, 6, 'no lease lapsed meanwhile: one each, and three bystanders');
    answers.release();
    const subjects = await Promise.all(posting);
    for (const subject of subjects) {
      const { task_id } = await subject.becomes('pending');
      const times = () =>
        simulator.calls('query').flatMap(({ taskId, at }) => (taskId === task_id ? [at] : []));
      await until('it was looked at five times', async () => times().length >= 5 || null);
      const gaps = times().map((at, look, all) => at - (all[look - 1] ?? Number.NEGATIVE_INFINITY));
      t.ok(Math.min(...gaps) >= 800, `looked at no sooner than POLL_MIN_SECONDS allows: ${gaps}`);
    }
    for (const at of clocks) {
      for (const subject of subjects)
        t.match(await subject.at(at).read(), { status: 'pending', error: null });
    }
    for (const subject of subjects) await isPaidOnce(t, subject);
    t.equal(simulator.calls('submit').length, 6);
  },

  async 60(t, store) {
    const simulator = await simulatorFor(t);
    for (const [what, start] of unread) {
      await t.test(what, async (t) => {
        const env = {
          ...(await settingsOn(t, store)),
          SHUTDOWN_GRACE_SECONDS: '30',
          RATE_LIMIT_PER_MINUTE: '1000000',
        };
        const gateway = await start(t, { ...settingsFor(simulator), ...env });
        await isReady(gateway);
        // Of each read comes a line or two; a pipe holds 64 kB, a socket 200 kB and more.
        for (let round = 0; round < 15; round++) {
          const reads = Array.from({ length: 100 }, async () => {
            const response = await fetch(`${gateway.url}/avatars`);
            await response.arrayBuffer();
            return response.status;
          });
          t.same([...new Set(await Promise.all(reads))], [200]);
        }
        await isPaidOnce(t, await Subject.post({ url: gateway.url, simulator }));
        const graceIsOver = pause(30_000, 'still there', { ref: false });
        t.equal(await Promise.race([gateway.stop(), graceIsOver]), 0);
      });
    }
  },

  61: leavesOthers,
});
