import type { Fault } from '../simulator/simulator.js';
import type { Show } from './cases.js';
import { passes, Subject } from './subject.js';
import { errorsOf, startWorld } from './world.js';

/** The upstream changes its mind about a task that is final here, before and while it is looked at. */
export const staysFinal: Show = async (t, store) => {
  const app = await startWorld(t, store);
  const { simulator } = app;
  const early = await Subject.post(app);
  const succeeded = await early.succeeds();
  const queries = () => simulator.calls('query').filter(({ taskId }) => taskId === succeeded.task_id).length;
  const polls = queries();
  simulator.settle(String(succeeded.task_id), { end: 'never' });
  await passes(app);
  t.same(await early.read(), succeeded);
  t.equal(queries(), polls, 'it is not asked after any more');

  // A poll that began before the end and is answered after it: "processing", by then untrue.
  const late = await Subject.post(app);
  const task = String(late.answer.task_id);
  const poll = simulator.inject({ on: 'query', task, when: 'after', do: { hold: true } });
  await poll.met;
  simulator.settle(task, { end: 'failed', reason: 'no face' });
  await app.lapse(late.id);
  const failed = await late.becomes('failed');
  const answered = simulator.nextEnd('query');
  poll.release();
  await answered;
  await passes(app);
  t.same(await late.read(), failed);
  t.match(failed, { error: { detail: 'no face' }, task_id: task });

  for (const subject of [early, late]) {
    const resolved = await fetch(`${app.url}/avatars/${subject.id}/resolve`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ made: false }),
    });
    t.equal(resolved.status, 409, 'nor does an operator change it');
    t.same([subject.posts().length, subject.tasks().length], [1, 1]);
  }
  t.same(errorsOf(app), []);
};

/** A task that never ends. */
export const timesOut: Show = async (t, store) => {
  const app = await startWorld(t, store, { gateway: { taskTimeoutMs: 500 } });
  const subject = await Subject.post(app);
  const { task_id } = subject.answer;
  const ended = await subject.becomes('timed_out');
  t.match(ended, {
    task_id,
    error: { type: /:task-timeout$/, detail: /not finished .* after its submit/ },
  });
  app.simulator.settle(String(task_id), { end: 'success' });
  const bystander = await Subject.post(app);
  await bystander.becomes('timed_out');
  t.same(await subject.read(), ended, 'a success after that changes nothing');
  t.same([subject.posts().length, subject.tasks().length], [1, 1]);
};

/** A success that names no video. */
export const lacksVideo: Show = async (t, store) => {
  const app = await startWorld(t, store);
  const bare = [{ resources: [] }, { resources: null }, { resources: [{ url: '' }] }, null];
  for (const result of bare) {
    const subject = await Subject.post(app);
    const task = String(subject.answer.task_id);
    app.simulator.inject({ on: 'query', task, times: 99, do: { patch: { data: { result } } } });
    app.simulator.settle(task, { end: 'success' });
    const error = { type: /:task-failed$/, detail: /called the task a success and named no video/ };
    t.match(await subject.becomes('failed', 'succeeded'), {
      status: 'failed',
      error,
      task_id: task,
      video: null,
    });
    t.same([subject.posts().length, subject.tasks().length], [1, 1]);
  }
};

/** A video whose host is slow, breaks off, or has it no more. */
export const losesVideo: Show = async (t, store) => {
  const app = await startWorld(t, store, { modellix: { videoTimeoutMs: 500 } });
  const { simulator } = app;
  const subject = await Subject.post(app);
  const succeeded = await subject.succeeds();
  const video = `${app.url}/avatars/${subject.id}/video`;
  const whole = await fetch(video);
  t.equal(whole.status, 200);
  const bytes = Buffer.from(await whole.arrayBuffer());
  const answers: [Fault['do'], number, string][] = [
    [{ hang: 'head' }, 502, 'video-unavailable'],
    [{ hang: 'mid-head' }, 502, 'video-unavailable'],
    [{ reset: 'head' }, 502, 'video-unavailable'],
    [{ close: 'mid-head' }, 502, 'video-unavailable'],
    [{ status: 503 }, 502, 'video-unavailable'],
    [{ status: 403 }, 503, 'video-delayed'],
    [{ status: 404 }, 503, 'video-delayed'],
  ];
  for (const [fault, status, slug] of answers) {
    simulator.inject({ on: 'result', do: fault });
    const response = await fetch(video);
    t.equal(response.status, status, JSON.stringify(fault));
    t.match(await response.json(), { type: `urn:avatar-gateway:problem:${slug}` });
  }
  for (const fault of [{ reset: 'mid-body' }, { close: 'mid-body' }, { hang: 'mid-body' }] as const) {
    simulator.inject({ on: 'result', when: 'after', do: fault });
    const response = await fetch(video);
    t.equal(response.status, 200);
    await t.rejects(response.arrayBuffer(), 'what was cut off is not taken for all there is');
  }
  t.ok(Buffer.from(await (await fetch(video)).arrayBuffer()).equals(bytes), 'once it is back it is served');
  t.same(await subject.read(), succeeded, 'the avatar hears nothing of it');
  t.same([subject.posts().length, subject.tasks().length], [1, 1]);
};
