/** Three replicas whose clocks are an hour apart, each a process. */

import type { Test } from 'tap';
import { simulatorFor, tempDir } from '../e2e/support.js';
import { until } from '../support/until.js';
import { isNoted } from './pauses.js';
import { Subject } from './subject.js';
import { sharedRedis, startProcess } from './world.js';

const HOUR = 3_600_000;
/** Of these calls a minute 10 may leave at once, and the next one 0.7 s later. */
const CALLS = 100;
const BURST = 10;
const TASKS = 14;

/** Case 36. */
export async function hoursApart(t: Test): Promise<void> {
  const simulator = await simulatorFor(t, {
    settings: { taskMs: { min: HOUR, max: HOUR }, callsPerMinute: CALLS, concurrency: TASKS },
  });
  const { url, prefix } = await sharedRedis();
  const replicaOff = async (hours: number) =>
    startProcess(
      t,
      simulator,
      {
        DATA_DIR: await tempDir(t),
        REDIS_URL: url,
        REDIS_KEY_PREFIX: prefix,
        CLOCK_OFF_MS: String(hours * HOUR),
        MODELLIX_CALLS_PER_MINUTE: String(CALLS),
        MODELLIX_CONCURRENCY: String(TASKS),
        TASK_TIMEOUT_MINUTES: '30',
        QUEUE_TIMEOUT_MINUTES: '30',
        SUBMIT_GRACE_SECONDS: '1',
      },
      { preload: './test/faults/clock.mjs' },
    );
  const clocks = await Promise.all([-1, 0, 1].map(replicaOff));
  const post = (count: number) =>
    Promise.all(Array.from({ length: count }, (_, at) => Subject.post(clocks[at % 3] as (typeof clocks)[0])));

  // Told to wait by what one of them hears, by a header that is a time of day.
  const resetAt = Math.ceil(Date.now() / 1000) + 4;
  const headers = { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': String(resetAt) };
  simulator.inject({ on: 'submit', do: { status: 429, headers } });
  const [told] = await post(1);
  if (told !== undefined) await isNoted(told);
  const subjects = [...(told === undefined ? [] : [told]), ...(await post(TASKS + 2))];
  for (const { status, answer } of subjects) t.match([status, answer.status], [202, 'queued']);
  await until('the slots are taken', async () => simulator.ledger().length === TASKS || null);

  const [refusal, ...calls] = simulator.calls();
  t.equal(refusal?.status, 429);
  const startedAt = calls[0]?.at ?? 0;
  t.ok(startedAt >= resetAt * 1000, 'none goes on before the reset');
  const atOnce = calls.filter(({ at }) => at < startedAt + 500).length;
  t.ok(atOnce <= BURST + 2, `${atOnce} calls of all three at once`);
  const { calls: excess, tasks, teams } = simulator.over();
  t.same([excess, tasks, teams.team?.peak], [0, 0, TASKS], 'no call and no task too many');

  // No lease, no pause and no deadline is over because of a clock that is ahead, or never over because it is behind.
  const views = await Promise.all(
    clocks.map((at) => Promise.all(subjects.map((subject) => subject.at(at).read()))),
  );
  for (const seen of views) {
    const statuses = seen.map(({ status, error }) => (error === null ? status : error.type));
    t.equal(statuses.filter((status) => status === 'queued').length, 3);
    t.equal(statuses.filter((status) => status === 'pending' || status === 'processing').length, TASKS);
  }
  t.same(subjects.map((subject) => [subject.posts().length, subject.tasks().length]).sort(), [
    ...Array(3).fill([0, 0]),
    ...Array(TASKS - 1).fill([1, 1]),
    [2, 1],
  ]);
}
