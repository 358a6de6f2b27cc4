/** The vendor's limits as the simulator keeps them, and what it can tell of how they were used. */

import fc from 'fast-check';
import t, { type Test } from 'tap';
import { DEFAULT_KEY, type Over, type SettingsPatch, SUBMIT_PATHS, startSimulator } from './simulator.js';
import { SlidingWindow } from './window.js';

/** A simulator whose clock stands still until the test moves it. */
async function started(t: Test, settings: SettingsPatch) {
  let now = 1_000_000;
  const simulator = await startSimulator({ now: () => now, settings });
  t.teardown(() => simulator.close());
  const call = async (path: string, init: RequestInit, key: string) => {
    const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
    const response = await fetch(simulator.url + path, { ...init, headers });
    await response.arrayBuffer();
    return response;
  };
  const body = (mode: string) =>
    JSON.stringify({ image: 'https://a.b/c.png', sound_file: 'https://a.b/c.mp3', mode });
  return {
    simulator,
    pass: (ms: number) => {
      now += ms;
    },
    /** Costs a call and nothing else. */
    ask: async (key = DEFAULT_KEY) => (await call('/api/v1/tasks/task-x', {}, key)).status !== 429,
    reset: async () =>
      Number((await call('/api/v1/tasks/task-x', {}, DEFAULT_KEY)).headers.get('x-ratelimit-reset')),
    submit: async (key = DEFAULT_KEY, mode = 'std') =>
      (await call(SUBMIT_PATHS[0] ?? '', { method: 'POST', body: body(mode) }, key)).status,
  };
}

t.test('the window slides: no stretch of its length holds more calls than are allowed', async (t) => {
  const { simulator, pass, ask, reset } = await started(t, { callsPerMinute: 3, windowMs: 1000 });
  t.ok(await ask());
  pass(900);
  t.ok(await ask());
  t.ok(await ask());
  pass(99);
  t.notOk(await ask(), 'a window that is cut at fixed times would be as good as over');
  t.equal(await reset(), 1001, 'when the oldest leaves, in seconds');
  pass(1);
  t.ok(await ask(), 'the first has left');
  t.notOk(await ask(), 'the two of 100 ms ago have not');
  pass(899);
  t.notOk(await ask());
  pass(1);
  t.ok(await ask());
  t.ok(await ask(), 'what was refused took nobody’s place');
  t.notOk(await ask());
  t.match(simulator.over(), { calls: 5, tasks: 0 });
});

t.test('property: the window holds what a search through everything finds', async () => {
  const gaps = fc.array(fc.integer({ min: 0, max: 40 }), { maxLength: 60 });
  fc.assert(
    fc.property(gaps, fc.integer({ min: 1, max: 100 }), (steps, lengthMs) => {
      const window = new SlidingWindow();
      const times: number[] = [];
      let now = 0;
      let peak = 0;
      return steps.every((step) => {
        now += step;
        window.add(now, lengthMs);
        times.push(now);
        const inside = times.filter((at) => at > now - lengthMs);
        peak = Math.max(peak, inside.length);
        const roomAt = (inside[0] ?? now) + lengthMs;
        return (
          window.count(now, lengthMs) === inside.length &&
          window.roomAt(now, lengthMs) === roomAt &&
          window.peak === peak
        );
      });
    }),
  );
});

t.test('what was over, by key and by team', async (t) => {
  const keys = { mate: { team: 'team', valid: true }, other: { team: 'b', valid: true } };
  const settings = { callsPerMinute: 4, windowMs: 1000, concurrency: 2, keys };
  const { simulator, pass, ask, submit } = await started(t, settings);
  t.strictSame(
    [await submit(), await submit('mate'), await submit(), await submit('other')],
    [200, 200, 429, 200],
  );
  for (let n = 0; n < 4; n += 1) await ask();
  t.match(simulator.over(), {
    calls: 2,
    tasks: 1,
    callsPerKey: { [DEFAULT_KEY]: 6, mate: 1, other: 1 },
    teams: { team: { unfinished: 2, peak: 2 }, b: { unfinished: 1, peak: 1 } },
  });
  pass(1000);
  await ask();
  t.match(simulator.over(), { calls: 2, callsPerKey: { [DEFAULT_KEY]: 6 } }, 'a peak stays');
  const told = await fetch(`${simulator.url}/_control/over`);
  t.strictSame(await told.json(), simulator.over(), 'the same over HTTP');
  simulator.reset();
  const { calls, tasks, callsPerKey, teams } = simulator.over();
  t.strictSame({ calls, tasks, callsPerKey }, { calls: 0, tasks: 0, callsPerKey: {} });
  t.match(teams, { team: { unfinished: 0, peak: 0, busySlotMs: 0, allowedSlotMs: 0 } });
});

t.test('a call too many over all counts as over, and against nobody’s own limit', async (t) => {
  const keys = { other: { team: 'b', valid: true } };
  const { simulator, pass, ask } = await started(t, { callsPerMinute: 2, callsPerMinuteOverall: 2, keys });
  t.strictSame([await ask(), await ask(), await ask('other')], [true, true, false]);
  t.match(simulator.over(), { calls: 1, callsPerKey: { other: 1 } });
  pass(60_000);
  t.strictSame([await ask('other'), await ask('other')], [true, true]);
});

t.test('the share of the concurrency in use, as an integral over time', async (t) => {
  const taskMs = { min: 1000, max: 1000 };
  const { simulator, pass, submit } = await started(t, { concurrency: 2, taskMs });
  const team = ({ teams }: Over) => {
    const use = teams.team;
    return [use?.unfinished, use?.peak, use?.busySlotMs, use?.allowedSlotMs];
  };
  pass(500);
  t.strictSame(team(simulator.over()), [0, 0, 0, 1000], 'idle');
  await submit();
  pass(400);
  await submit();
  t.strictSame(team(simulator.over()), [2, 2, 400, 1800]);
  pass(10_000);
  t.strictSame(team(simulator.over()), [0, 2, 2000, 21_800], 'they ended while nobody looked');
  await submit();
  const [{ taskId } = { taskId: '' }] = simulator.ledger().slice(-1);
  pass(100);
  simulator.settle(taskId, { end: 'success' });
  pass(100);
  t.strictSame(team(simulator.over()), [0, 2, 2100, 22_200], 'ended early');
  simulator.settle(taskId, { end: 'never' });
  pass(5000);
  t.strictSame(team(simulator.over()), [1, 2, 7100, 32_200], 'never ends');
  simulator.forget(taskId);
  pass(1000);
  t.strictSame(team(simulator.over()), [0, 2, 7100, 34_200], 'forgotten');
});

t.test('limits that are changed hold from then on, and what was before is counted as it was', async (t) => {
  const taskMs = { min: 100_000, max: 100_000 };
  const { simulator, pass, ask, submit } = await started(t, { concurrency: 3, callsPerMinute: 100, taskMs });
  t.strictSame([await submit(), await submit()], [200, 200]);
  pass(1000);
  simulator.configure({ concurrency: 1 });
  pass(1000);
  t.match(simulator.over().teams, { team: { unfinished: 2, busySlotMs: 4000, allowedSlotMs: 4000 } });
  t.equal(await submit(), 429);
  simulator.configure({ concurrency: 3 });
  t.equal(await submit(), 200);
  simulator.configure({ callsPerMinute: 4 });
  t.notOk(await ask(), 'four were made');
  simulator.configure({ callsPerMinute: 5 });
  t.ok(await ask());
  simulator.configure({ keys: { late: { team: 'late', valid: true } } });
  pass(10);
  t.match(simulator.over().teams, { late: { allowedSlotMs: 30 } }, 'a team is known from when it was set');
});

t.test('log-normal times: the median and the spread that were set, each mode its own', async (t) => {
  const { simulator, submit } = await started(t, {
    concurrency: 10_000,
    callsPerMinute: 10_000,
    taskMs: { min: 1, max: 1 },
    taskMedianMs: { pro: 60_000 },
    taskSigma: 0.5,
  });
  for (let n = 0; n < 400; n += 1) await submit(DEFAULT_KEY, 'pro');
  await submit();
  const durations = simulator.tasks().map(({ durationMs }) => durationMs);
  t.equal(durations.pop(), 1, 'std has no median');
  const logs = durations.map((ms) => Math.log(ms / 60_000)).sort((a, b) => a - b);
  const median = logs[200] ?? Number.NaN;
  const sigma = Math.sqrt(logs.reduce((sum, log) => sum + log * log, 0) / logs.length);
  t.ok(Math.abs(median) < 0.1, `median ${median}`);
  t.ok(Math.abs(sigma - 0.5) < 0.06, `sigma ${sigma}`);
  simulator.configure({ taskSigma: 0 });
  await submit(DEFAULT_KEY, 'pro');
  t.equal(simulator.tasks().at(-1)?.durationMs, 60_000);
});
