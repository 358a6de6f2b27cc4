/** Modellix moves the path of the submit: on the embedded store, and with three replicas on Redis. */

import t, { type Test } from 'tap';
import { SUBMIT_PATHS } from '../simulator/simulator.js';
import type { RunningApp } from '../support/app.js';
import { until } from '../support/until.js';
import { type Replicas, type Standing, startReplicas } from './replicas.js';
import { isPaidOnce, Subject } from './subject.js';

t.setTimeout(600_000);

const [FIRST = '', SECOND = '', THIRD = ''] = SUBMIT_PATHS;

async function pathState({ url }: RunningApp): Promise<Standing['submit_path']> {
  return ((await (await fetch(`${url}/readyz`)).json()) as Standing).submit_path;
}

async function isPaidOnceBy(t: Test, subject: Subject, path: string): Promise<void> {
  await isPaidOnce(t, subject);
  const paths = subject.tasks().map((task) => task.path);
  t.same(paths, [path]);
}

/** What was logged about the path, by all, in the order of time. */
function pathLines(app: Replicas): unknown[][] {
  return app
    .logged()
    .filter(({ path }) => path !== undefined)
    .map(({ level, path, msg }) => [level, path, msg]);
}

for (const store of ['embedded', 'redis'] as const) {
  t.test(`${store}: the form that one finds is used by all`, async (t) => {
    const app = await startReplicas(t, store);
    app.simulator.configure({ submitPaths: [THIRD] });
    const subjects = await app.post(2 * app.all.length);
    for (const subject of subjects) {
      t.match(subject.answer, { status: /^(queued|submitting|pending)$/, error: null });
      await isPaidOnceBy(t, subject, THIRD);
      const paths = subject.posts().map(({ path }) => path);
      t.equal(new Set(paths).size, paths.length, 'no form was tried twice for one avatar');
    }

    // Whoever has not heard of it would be answered by any form now.
    app.simulator.configure({ submitPaths: [...SUBMIT_PATHS] });
    const started = store === 'redis' ? [await app.restart()] : [];
    for (const replica of [...app.all, ...started]) {
      const subject = await Subject.post(replica);
      await isPaidOnceBy(t, subject, THIRD);
      t.equal(subject.posts().length, 1);
      t.same(await pathState(replica), { state: 'ok', path: THIRD, advice: null });
    }
    const moved = /^Modellix has no route for the path of submits; they go by another form of it$/;
    t.match(pathLines(app), [
      [40, SECOND, moved],
      [40, THIRD, moved],
    ]);
    t.equal(pathLines(app).length, 2, 'each move is said once');
  });

  t.test(`${store}: where no form works the queue is held, and goes on by itself`, async (t) => {
    const app = await startReplicas(t, store);
    app.simulator.configure({ submitPaths: [] });
    const count = 3 * app.all.length;
    const subjects = await app.post(count);
    for (const { status, answer } of subjects) t.match([status, answer], [202, { error: null }]);
    await until('all replicas know', async () => {
      const states = await Promise.all(app.all.map(pathState));
      return states.every(({ state }) => state === 'no_route') || null;
    });
    const advice = 'Set MODELLIX_SUBMIT_PATH to the path that the reference of Modellix names.';
    for (const standing of await app.standings()) {
      t.match(standing, { status: 'ready', breaker: 'open', submit_path: { advice } });
    }
    const later = await app.post(app.all.length);
    for (const { answer } of later) t.match(answer, { status: /^(queued|submitting)$/, error: null });

    const heldLines = () => pathLines(app).filter(([level]) => level === 50);
    await until('two were tried', async () => heldLines().length === 3 || null, { withinMs: 60_000 });
    const [first, second, ...more] = app.simulator.calls('submit').slice(-2);
    t.same([first?.path, second?.path, more], [FIRST, SECOND, []], 'each form in its turn');
    t.ok((second?.at ?? 0) - (first?.at ?? 0) > 2_500, 'one after the other, behind a growing pause');
    for (const subject of [...subjects, ...later])
      t.match(await subject.read(), { error: null, task_id: null });

    app.simulator.configure({ submitPaths: [THIRD] });
    for (const subject of [...subjects, ...later]) await isPaidOnceBy(t, subject, THIRD);
    await until('all replicas know', async () => {
      const states = await Promise.all(app.all.map(pathState));
      return states.every(({ state, path }) => state === 'ok' && path === THIRD) || null;
    });
    const held = /^Modellix has no route for any form of MODELLIX_SUBMIT_PATH; .*: set it to the path that/;
    t.match(pathLines(app), [
      [40, SECOND],
      [40, THIRD],
      [50, FIRST, held],
      [50, SECOND, held],
      [50, THIRD, held],
      [30, THIRD, /^Modellix has a route for submits again; they go on$/],
    ]);
  });

  t.test(`${store}: a 404 about what was sent, or of something in between, is that avatar's`, async (t) => {
    const app = await startReplicas(t, store);
    const audio = { code: 404, message: 'Not found: audio_id model-7 does not exist', data: {} };
    for (const [body, detail] of [
      [audio, audio.message],
      ['<html>404 page not found</html>', 'Modellix answered 404'],
    ] as const) {
      app.simulator.inject({ on: 'submit', do: { status: 404, body } });
      const [subject] = await app.post(1);
      const error = { type: /:refused-by-modellix$/, detail, upstream_status: 404 };
      t.match(await subject?.becomes('failed'), { error, task_id: null });
      t.equal(subject?.posts().length, 1);
    }
    for (const subject of await app.post(app.all.length)) await isPaidOnceBy(t, subject, FIRST);
    t.same(pathLines(app), []);
  });
}
