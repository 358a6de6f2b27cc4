import t from 'tap';
import { clientOf } from '../store/fixtures-redis.js';
import { until } from '../support/until.js';
import { hoursApart } from './apart.js';
import { showCases } from './cases.js';
import { clampsResets, waitsAsTold } from './pauses.js';
import { fillsQueue } from './queue-full.js';
import { startReplicas } from './replicas.js';
import { restsKeys } from './rests.js';
import { isPaidOnce, passes, Subject } from './subject.js';
import { growsPauses } from './trouble.js';
import { errorsOf } from './world.js';

t.setTimeout(600_000);

const MINUTE = 60_000;

await showCases(t, 'limits', {
  5: waitsAsTold,
  7: restsKeys,
  11: clampsResets,
  12: growsPauses,

  async 13(t, store) {
    const app = await startReplicas(t, store, { gateway: { taskTimeoutMs: 60 * MINUTE } });
    const [lost, late] = [await Subject.post(app), await Subject.post(app)];
    const task = String(lost.answer.task_id);
    const misses = () =>
      app.simulator.calls('query').filter(({ taskId, status }) => taskId === task && status === 404).length;
    const missedAgain = async () => {
      const before = misses();
      await until('it was asked after again', async () => misses() > before || null);
      await passes(app);
    };
    const unseen = app.simulator.inject({
      on: 'query',
      task: String(late.answer.task_id),
      times: 2,
      do: { status: 404 },
    });
    app.simulator.forget(task);
    await missedAgain();
    t.match(await lost.read(), { status: 'pending', error: null });
    await until('the other one was not there twice', async () => unseen.count === 2 || null);
    await isPaidOnce(t, late);

    await app.pass(50_000);
    await missedAgain();
    t.match(await lost.read(), { status: 'pending', error: null }, 'within the minute');
    await app.pass(20_000);
    const error = { type: /:task-lost$/, detail: /^Task not found/, upstream_status: 404 };
    t.match(await lost.becomes('failed'), { task_id: task, error });
    t.same([lost.posts().length, lost.tasks().length], [1, 1]);
  },

  async 14(t, store) {
    const app = await startReplicas(t, store);
    const subject = await Subject.post(app);
    const counted = () => app.metric('avatar_gateway_unfamiliar_statuses_total');
    t.equal(await counted(), 0);
    const task = String(subject.answer.task_id);
    const word = app.simulator.inject({
      on: 'query',
      task,
      times: 3,
      do: { patch: { data: { status: 'Dreaming' } } },
    });
    await until('it was said three times', async () => word.count === 3 || null);
    t.match(await subject.read(), { status: 'processing', error: null });
    await until('each is counted', async () => (await counted()) === 3 || null);
    const told = app.logged().filter(({ msg }) => msg === 'Modellix used an unfamiliar status');
    t.same(
      told.map((line) => [line.avatarId, line.word]),
      Array(3).fill([subject.id, 'Dreaming']),
    );
    await isPaidOnce(t, subject);
    t.equal(await counted(), 3);
  },

  async 16(t, store) {
    const app = await startReplicas(t, store, {
      limits: { tasks: 1 },
      gateway: { queueTimeoutMs: 60 * MINUTE },
    });
    const [first, second] = await app.postInTurn(2);
    const task_id = String(first?.answer.task_id);
    const unfinished = async () => (await app.standings()).map(({ keys }) => keys[0]?.unfinished_tasks);
    await app.pass(MINUTE - 10_000);
    for (let looks = 0; looks < 5; looks++) await app.simulator.nextCall('query');
    t.match([await first?.read(), await second?.read()], [{ task_id }, { status: 'queued', queue: {} }]);
    t.same([await unfinished(), second?.posts()], [[1, 1, 1], []]);
    await app.pass(11_000);
    const ended = await first?.becomes('timed_out');
    t.match(ended, { task_id, error: { type: /:task-timeout$/, detail: /not finished 1 minutes? after/ } });
    await second?.becomes('pending', 'processing');
    t.same(await unfinished(), [1, 1, 1], 'its slot is the next one’s');
    app.simulator.settle(task_id, { end: 'success' });
    if (second !== undefined) await isPaidOnce(t, second);
    t.same(await first?.read(), ended, 'a success after that changes nothing');
    await until('no slot is held', async () => (await unfinished()).every((held) => held === 0) || null);
    t.same([first?.posts().length, first?.tasks().length], [1, 1]);
  },

  async 24(t, store) {
    const app = await startReplicas(t, store);
    const { store: redis } = app.config;
    const client = clientOf(t, redis.kind === 'redis' ? redis.url : '');
    const flush = () => client.script('FLUSH');
    const known = await app.post(6);
    await flush();
    const answers = app.simulator.inject({ on: 'submit', when: 'after', times: 6, do: { hold: true } });
    const posting = app.post(6);
    await until('all are made', async () => app.simulator.ledger().length === 12 || null);
    await flush();
    answers.release();
    const subjects = [...known, ...(await posting)];
    // Queued: another replica was about to submit it.
    const isWell = { status: /^(queued|submitting|pending)$/ };
    for (const { status, answer } of subjects) t.match([status, answer], [202, isWell]);
    for (const subject of subjects) {
      await flush();
      await isPaidOnce(t, subject);
      t.equal(subject.posts().length, 1);
    }
    t.same(app.all.flatMap(errorsOf), []);
  },

  async 33(t, store) {
    const app = await startReplicas(t, store);
    // A pause that ends for all of them at one moment, and slow looks, so that two at one task would meet.
    app.simulator.inject({ on: 'submit', do: { status: 429, headers: { 'retry-after': '1' } } });
    app.simulator.inject({ on: 'query', when: 'after', probability: 1, do: { delay: 30 } });
    const [told] = await app.post(1);
    const subjects = await app.post(60);
    for (const subject of subjects) await isPaidOnce(t, subject);
    for (const subject of subjects) t.equal(subject.posts().length, 1);
    if (told !== undefined) await isPaidOnce(t, told);
    const endedAt = new Map<string | null, number | null>();
    for (const { taskId, at, endedAt: ended } of app.simulator.calls('query')) {
      t.ok(at >= (endedAt.get(taskId) ?? 0), 'one look at a task at a time');
      endedAt.set(taskId, ended);
    }
    t.same(app.all.flatMap(errorsOf), []);
  },

  36: hoursApart,
  41: fillsQueue,
});
