import t from 'tap';
import { DEFAULT_KEY } from '../simulator/simulator.js';
import { GOOD } from '../support/requests.js';
import { until } from '../support/until.js';
import { showCases } from './cases.js';
import { lacksVideo, losesVideo, staysFinal, timesOut } from './endings.js';
import { allUnconfirmed, beforeAndAfter, type Mishap } from './mishaps.js';
import type { Standing } from './replicas.js';
import { isPaidOnce, isUnconfirmed, passes, Subject } from './subject.js';
import { errorsOf, startWorld } from './world.js';

t.setTimeout(600_000);

/** Has the first rest of its key be over, and waits until it goes by that. */
await showCases(t, 'upstream', {
  1: (t, store) =>
    allUnconfirmed(
      t,
      store,
      [
        ['before', { hang: 'request' }],
        ...beforeAndAfter([{ hang: 'head' }, { hang: 'mid-head' }, { hang: 'mid-body' }]),
      ],
      /^no answer (?:within 1500 ms|in time)\. A task/,
      // With real media, so that not all of it leaves where it is not read.
      { submitTimeoutMs: 1500, body: GOOD },
    ),

  async 2(t, store) {
    const points = ['head', 'mid-head', 'mid-body'] as const;
    const broken = points.flatMap((point) => [{ reset: point }, { close: point }]);
    const unread: Mishap[] = [
      ['before', { reset: 'request' }],
      ['before', { close: 'request' }],
    ];
    const reason = /connection reset|closed the connection|cut short/;
    await allUnconfirmed(t, store, [...unread, ...beforeAndAfter(broken)], reason);

    const app = await startWorld(t, store);
    await app.simulator.pause();
    const subject = await Subject.post(app);
    t.match(subject.answer, { status: /queued|submitting/, error: null, task_id: null });
    await app.simulator.resume();
    await isPaidOnce(t, subject);
    t.equal(subject.posts().length, 1);
  },

  3: (t, store) =>
    allUnconfirmed(
      t,
      store,
      beforeAndAfter([500, 502, 503, 504].map((status) => ({ status }))),
      /^Modellix answered 50[0234]\b/,
    ),

  4: (t, store) =>
    allUnconfirmed(
      t,
      store,
      beforeAndAfter([408, 409, 425].map((status) => ({ status }))),
      /^Modellix answered 4(08|09|25)\b/,
    ),

  async 5(t, store) {
    const app = await startWorld(t, store);
    app.simulator.configure({ windowMs: 1000 });
    const refused = async (headers: Record<string, string>): Promise<[Subject, gapMs: number]> => {
      app.simulator.inject({ on: 'submit', do: { status: 429, headers } });
      const subject = await Subject.post(app);
      t.match(subject.answer, { status: 'queued', error: null, task_id: null });
      await isPaidOnce(t, subject);
      const [first, second, ...more] = subject.posts();
      t.same(more, [], 'one that was refused, one that was not');
      return [subject, (second?.at ?? 0) - (first?.at ?? 0)];
    };
    const [, told] = await refused({ 'retry-after': '2' });
    t.ok(told >= 2000, `${told} ms after it was told to wait 2 s`);
    const resetAt = Math.ceil(Date.now() / 1000) + 2;
    const [reset] = await refused({ 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': String(resetAt) });
    t.ok((reset.posts()[1]?.at ?? 0) >= resetAt * 1000, 'not before the reset');
    const [, untold] = await refused({});
    t.ok(untold >= 500, `${untold} ms after it was told nothing`);

    // The vendor's own words for it: one task may run, and one does.
    app.simulator.configure({ concurrency: 1 });
    const running = await Subject.post(app);
    const waiting = await Subject.post(app);
    t.match([running.answer, waiting.answer], [{ status: 'pending' }, { status: 'queued' }]);
    await isPaidOnce(t, running);
    await isPaidOnce(t, waiting);
  },

  async 6(t, store) {
    const app = await startWorld(t, store);
    const subjects: Subject[] = [];
    for (const code of [400, 404, 413, 415, 422]) {
      const message = `Invalid parameters: the face of ${code} is hidden`;
      app.simulator.inject({ on: 'submit', do: { status: code, body: { code, message, data: {} } } });
      const subject = await Subject.post(app);
      t.equal(subject.status, 422);
      t.match(subject.answer, { type: /:refused-by-modellix$/, detail: message });
      const error = { type: /:refused-by-modellix$/, detail: message, upstream_status: code };
      t.match(await subject.read(), { status: 'failed', error, task_id: null });
      subjects.push(subject);
    }
    await passes(app);
    for (const subject of subjects) {
      t.same([subject.posts().length, subject.tasks().length], [1, 0]);
      t.match(await subject.read(), { status: 'failed' });
    }
  },

  async 7(t, store) {
    const app = await startWorld(t, store, {
      gateway: { retentionMs: 3_600_000, queueTimeoutMs: 3_600_000 },
    });
    const refused = async (status: number, problem: RegExp, words: RegExp, advice: RegExp) => {
      const subject = await Subject.post(app);
      t.equal(subject.status, 503);
      t.match(subject.answer, { type: problem, detail: words });
      t.match(subject.answer.detail, advice);
      const error = { type: problem, detail: subject.answer.detail, upstream_status: status };
      t.match(await subject.read(), { status: 'failed', error, task_id: null });
      await app.pass(60_000);
      await until('the key has rested', async () => {
        const { keys } = (await (await fetch(`${app.url}/readyz`)).json()) as Standing;
        return keys[0]?.state === 'ok' || null;
      });
      return subject;
    };
    app.simulator.configure({ keys: { [DEFAULT_KEY]: { valid: false } } });
    const badKey = await refused(
      401,
      /:account-problem$/,
      /^Authentication failed: /,
      /No task was made: make a new avatar once the key is mended\.$/,
    );
    app.simulator.configure({ keys: { [DEFAULT_KEY]: { valid: true } }, teams: { team: { balance: 0 } } });
    const noMoney = await refused(
      402,
      /:arrears$/,
      /^Insufficient balance: /,
      /No task was made: make a new avatar once the balance is topped up\.$/,
    );
    app.simulator.configure({ teams: { team: { balance: 1000 } } });
    await passes(app);
    for (const subject of [badKey, noMoney]) {
      t.same([subject.posts().length, subject.tasks().length], [1, 0], 'not tried again by itself');
    }
  },

  8: (t, store) =>
    allUnconfirmed(
      t,
      store,
      [
        ['before', { status: 200, body: '<html>all is well</html>' }],
        ['after', { body: '<html>all is well</html>' }],
        ['after', { body: '[]' }],
        ['after', { status: 204 }],
        ['after', { cut: 20 }],
        ['after', { pad: 1_000_001 }],
        ['after', { patch: { code: 7 } }],
        ['after', { patch: { code: '0' } }],
        ['after', { patch: { data: null } }],
        ['after', { patch: { data: { task_id: null } } }],
        ['after', { patch: { data: { task_id: '' } } }],
        ['after', { patch: { data: { task_id: 7 } } }],
      ],
      /^Modellix answered 20[04] with|over the size limit/,
    ),

  9: (t, store) =>
    allUnconfirmed(
      t,
      store,
      beforeAndAfter(
        [301, 302, 303, 307, 308].map((status) => ({
          status,
          headers: { location: '/api/v1/kling/kling-avatar' },
        })),
      ),
      /^Modellix answered 30\d\b/,
    ),

  async 10(t, store) {
    const app = await startWorld(t, store);
    const owner = await Subject.post(app);
    const task_id = owner.answer.task_id ?? '';
    app.simulator.inject({ on: 'submit', do: { patch: { data: { task_id } } } });
    const other = await Subject.post(app);
    const check = async () => {
      await isUnconfirmed(
        t,
        other,
        new RegExp(`^Modellix answered with ${task_id}, a task of another avatar`),
      );
      t.equal(other.tasks().length, 1, 'a task of its own was made');
    };
    await check();
    t.match(errorsOf(app), [{ avatarId: other.id, taskId: task_id, msg: /another avatar owns/ }], 'an alert');
    t.match(await owner.read(), { status: /pending|processing/, task_id });
    await isPaidOnce(t, owner);
    await passes(app);
    await check();
  },

  15: staysFinal,
  16: timesOut,
  17: lacksVideo,
  18: losesVideo,
});
