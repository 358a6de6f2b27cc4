/** What Modellix says of a task or a submit that came to nothing: the problem it becomes, and that nothing is sent again. */

import t from 'tap';
import { FAILURE_WORDS } from '../simulator/words.js';
import { until } from '../support/until.js';
import { startReplicas } from './replicas.js';
import { isPaidOnce, passes } from './subject.js';

t.setTimeout(600_000);

type Ends = readonly (readonly [slug: string, words: string])[];
const ENDS: Ends = Object.entries(FAILURE_WORDS).flatMap(([slug, words]) =>
  words.map((each) => [slug, each] as const),
);
const typeOf = (slug: string) => `urn:avatar-gateway:problem:${slug}`;

for (const store of ['embedded', 'redis'] as const) {
  t.test(`${store}: a task that failed, or was canceled by Modellix`, async (t) => {
    const app = await startReplicas(t, store);
    const { simulator } = app;
    const fates = [
      ...ENDS.map(([slug, reason]) => [slug, { end: 'failed', reason }, reason] as const),
      ['canceled-by-modellix', { end: 'canceled' }, 'Modellix says "canceled" and no reason'],
      ['canceled-by-modellix', { end: 'canceled', reason: 'maintenance' }, 'maintenance'],
      ['content-refused', { end: 'canceled', reason: 'safety' }, 'safety'],
    ] as const;
    const subjects = await app.post(fates.length);
    for (const [at, [slug, fate, detail]] of fates.entries()) {
      const subject = subjects[at];
      const { task_id } = (await subject?.becomes('pending', 'processing')) ?? {};
      simulator.settle(task_id ?? '', fate);
      const error = { type: typeOf(slug), detail, upstream_status: null };
      t.match(await subject?.becomes('failed'), { error, task_id, video: null }, detail);
    }
    await passes(app);
    for (const subject of subjects) t.same([subject.posts().length, subject.tasks().length], [1, 1]);
  });

  t.test(`${store}: a submit that is refused for its content is never queued again`, async (t) => {
    const keys = ['mx-one', 'mx-two'];
    const app = await startReplicas(t, store, {
      modellix: { keys },
      simulator: {
        settings: {
          keys: Object.fromEntries(keys.map((key) => [key, { team: key, valid: true }])),
          taskMs: { min: 3_600_000, max: 3_600_000 },
        },
      },
    });
    const { simulator } = app;
    // By their status alone these would go to the other key, or wait.
    for (const code of [400, 403, 429]) {
      const message = `${code}: Kling error 1301, content security policy`;
      simulator.inject({ on: 'submit', do: { status: code, body: { code, message, data: {} } } });
      const [subject] = await app.post(1);
      t.match(
        [subject?.status, subject?.answer],
        [422, { type: typeOf('content-refused'), detail: message }],
      );
      t.match(await subject?.read(), { status: 'failed', error: { upstream_status: code }, task_id: null });
      await passes(app);
      t.same([subject?.posts().length, subject?.tasks().length], [1, 0]);
    }
    t.match(
      await app.standings(),
      app.all.map(() => ({ keys: [{ state: 'ok' }, { state: 'ok' }] })),
    );
  });

  t.test(`${store}: a submit that is refused for arrears, or for tasks that run`, async (t) => {
    const app = await startReplicas(t, store);
    const { simulator } = app;
    const refusing = (code: number, message: string) =>
      simulator.inject({ on: 'submit', do: { status: code, body: { code, message, data: {} } } });
    refusing(400, 'Kling error 1303: parallel task over resource pack limit');
    const [parallel] = await app.post(1);
    if (parallel === undefined) throw new Error('nothing was posted');
    t.match(parallel.answer, { status: 'queued', error: null });
    await isPaidOnce(t, parallel);
    t.equal(parallel.posts().length, 2, 'one that was refused, one that was not');

    const message = 'Kling error 1102: resource pack depleted';
    refusing(429, message);
    const [unpaid] = await app.post(1);
    const detail = `${message}. No task was made: make a new avatar once the balance is topped up.`;
    t.match([unpaid?.status, unpaid?.answer], [503, { type: typeOf('arrears'), detail }]);
    t.match(await unpaid?.read(), { status: 'failed', error: { type: typeOf('arrears'), detail } });
    await until('every replica has the key rest, as after a 402', async () => {
      const states = (await app.standings()).map(({ keys: [key] }) => key?.state);
      return states.every((state) => state === 'resting') || null;
    });
    t.equal(unpaid?.posts().length, 1);
  });
}
