/** A gateway that is held up past its leases, while another, or its own next pass, goes on with its avatars. */

import type { Test } from 'tap';
import { simulatorFor, tempDir } from '../e2e/support.js';
import { startRedis } from '../support/redis.js';
import type { StoreName } from './cases.js';
import { isPaidOnce, isUnconfirmed, passes, Subject } from './subject.js';
import { MADE, wayTo } from './way.js';
import { errorsOf, startProcess, startWorld } from './world.js';

const CUT_OFF = /^The gateway was cut off while the request was under way/;

/** What a stopped process would still write is often lost with its connection to Redis: one that was not stopped shows the fence. */
export async function stalled(t: Test, store: StoreName): Promise<void> {
  if (store === 'redis') await betweenProcesses(t);
  await withinOne(t, store);
}

/** Three avatars of one process, each at another point of its step when it is stopped; a second one takes them over. */
async function betweenProcesses(t: Test): Promise<void> {
  const simulator = await simulatorFor(t, { settings: { taskMs: { min: 3_600_000, max: 3_600_000 } } });
  const server = await startRedis(t);
  const way = await wayTo(t, server.port);
  const env = async (redisUrl: string) => ({
    REDIS_URL: redisUrl,
    DATA_DIR: await tempDir(t),
    MODELLIX_CONNECT_TIMEOUT_SECONDS: '1',
    MODELLIX_SUBMIT_TIMEOUT_SECONDS: '3',
    MODELLIX_QUERY_TIMEOUT_SECONDS: '3',
  });
  const stalling = await startProcess(t, simulator, await env(way.url));
  await passes(stalling); // With every script in Redis, each write is one command.

  const looked = await Subject.post(stalling);
  const task = looked.answer.task_id ?? '';
  const look = simulator.inject({ on: 'query', task, when: 'after', do: { hold: true } });
  await look.met;
  const answer = simulator.inject({ on: 'submit', when: 'after', do: { hold: true } });
  const sending = Subject.post(stalling, { key: 'sent' });
  await answer.met;
  const intended = way.break(MADE, 'hold', 'reply');
  const meaning = Subject.post(stalling, { key: 'meant' });
  await intended;
  void stalling.stop('SIGSTOP');

  const other = await startProcess(t, simulator, await env(server.url));
  simulator.settle(task, { end: 'success' });
  const succeeded = await looked.at(other).becomes('succeeded');
  const sent = await Subject.post(other, { key: 'sent' });
  const meant = await Subject.post(other, { key: 'meant' });
  for (const subject of [sent, meant]) await isUnconfirmed(t, subject, CUT_OFF);

  // What the other one finds when it goes on: what the task was before, an answer, and that its intent was written.
  look.release();
  answer.release();
  way.release();
  void stalling.stop('SIGCONT');
  const [first, second] = await Promise.all([sending, meaning]);
  t.equal(first.id, sent.id);
  // The store took longer than a command may, unless its reply is read first: then the lease is over.
  t.ok(second.status === 503 || second.id === meant.id, `nothing was made: ${second.status}`);
  const unsent = await meant.becomes('failed');
  t.match(
    unsent,
    { error: { type: /:never-sent$/, detail: /No task was made/ } },
    'its lease was over: nothing was sent',
  );
  await passes(stalling);
  t.same(await looked.read(), succeeded, 'the look of before changes nothing');
  // Its answer, where it was still read, ends the doubt; nothing makes a second one.
  const { status, task_id } = await sent.read();
  const made = first.tasks().map(({ taskId }) => taskId);
  t.same([status, task_id], status === 'unconfirmed' ? ['unconfirmed', null] : ['pending', made[0]]);
  t.same(
    [looked, first, second].map((subject) => subject.posts().length),
    [1, 1, 0],
  );
  t.equal(made.length, 1);
}

/** A process that is held up past its leases, and comes across its own avatars as those of a dead worker. */
async function withinOne(t: Test, store: StoreName): Promise<void> {
  const app = await startWorld(t, store);
  const { simulator } = app;
  const looked = await Subject.post(app);
  const task = looked.answer.task_id ?? '';
  const look = simulator.inject({ on: 'query', task, when: 'after', do: { hold: true } });
  await look.met;
  const answer = simulator.inject({ on: 'submit', when: 'after', do: { hold: true } });
  const sending = Subject.post(app, { key: 'sent' });
  await answer.met;
  simulator.settle(task, { end: 'success' });
  await app.lapse(looked.id);

  const succeeded = await looked.becomes('succeeded');
  const again = await Subject.post(app, { key: 'sent' });
  if (store === 'redis') await app.lapse(again.id); // On the embedded store the first one ended every lease.
  await isUnconfirmed(t, again, CUT_OFF);
  look.release();
  answer.release();
  const sent = await sending;
  t.match(sent.answer, { id: again.id, status: 'pending', error: null }, 'the late answer ends the doubt');
  await passes(app);
  t.same(await looked.read(), succeeded, 'the late look changes nothing');
  await isPaidOnce(t, sent);
  t.same(
    [looked, sent, again].map((subject) => subject.posts().length),
    [1, 1, 0],
  );
  t.same(errorsOf(app), []);
}
