/** One avatar, two durable writes: what is asked of the store for it, and what becomes of it where that goes wrong. */

import t from 'tap';
import { ANONYMOUS } from '../../src/domain/caller.js';
import { PushTokens } from '../../src/gateway/pushes/tokens.js';
import { packSubmission } from '../../src/modellix/submission.js';
import { type Begun, type Store, StoreUnavailableError } from '../../src/store/store.js';
import { dueIn, EVERYTHING, LONG } from '../store/fixtures.js';
import { until } from '../support/until.js';
import { gatewayOn, SENT, STORES } from './one-gateway.js';
import { SETTINGS } from './world.js';

const away = () => Promise.reject(new StoreUnavailableError('away'));

/** What takes as long as the test wants. */
function hanging() {
  let release = (): void => undefined;
  const hangs = new Promise<void>((resolve) => {
    release = resolve;
  });
  return { hangs, release };
}

const withoutBytes = (begun: unknown) => ({
  ...(begun as Begun),
  begun: (begun as Begun).begun.map((each) => ({ ...each, submission: null })),
});

for (const [name, open] of Object.entries(STORES)) {
  t.test(`${name}: an avatar is admitted, sent and settled, with nothing in between`, async (t) => {
    const { create, asked } = gatewayOn(t, await open(t));
    t.match(await create('first'), { avatar: { status: 'pending', taskId: 'first' }, version: 2 });
    const writes = asked.filter((what) => what !== 'document');
    t.strictSame(writes, ['admit', 'POST', 'save'], 'in this order');
    asked.length = 0;
    const created = await Promise.all(['a', 'b', 'c'].map((prompt) => create(prompt)));
    t.strictSame(
      created.map(({ avatar }) => avatar.status),
      ['pending', 'pending', 'pending'],
    );
    t.strictSame(asked.toSorted(), [
      'POST',
      'POST',
      'POST',
      ...Array(3).fill('admit'),
      ...Array(3).fill('save'),
    ]);
  });

  t.test(`${name}: where to push is known without the store`, async (t) => {
    const store = await open(t);
    const tokens = new PushTokens(store, 'https://gateway.example');
    await tokens.prepare();
    const { create, asked, webhookUrls } = gatewayOn(t, store, { change: { pushTokens: tokens } });
    const { avatar } = await create('first');
    t.strictSame(
      asked.filter((what) => what !== 'document'),
      ['admit', 'POST', 'save'],
    );
    t.strictSame(webhookUrls, [await tokens.urlFor(avatar.id)]);
    const elsewhere = new PushTokens(store, 'https://gateway.example');
    t.equal(await elsewhere.urlFor(avatar.id), webhookUrls[0], 'by every replica');
  });

  t.test(`${name}: where to push cannot be known, it is submitted all the same`, async (t) => {
    const { create, webhookUrls } = gatewayOn(t, await open(t), {
      change: {
        pushTokens: new PushTokens({ document: away } as unknown as Store, 'https://gateway.example'),
      },
    });
    t.match(await create('first'), { avatar: { status: 'pending' } });
    t.strictSame(webhookUrls, [null]);
  });

  t.test(`${name}: what has no slot waits, and is sent when there is one`, async (t) => {
    const { create, find, worker, ports, asked } = gatewayOn(t, await open(t), { tasks: 1 });
    const first = await create('first');
    const second = await create('second');
    t.equal(second.avatar.status, 'queued');
    t.equal(asked.filter((what) => what === 'POST').length, 1);
    await ports.store.remove(first.avatar.id, first.version);
    worker.wake();
    await until('it is sent', async () =>
      (await find(second.avatar.id))?.status === 'pending' ? true : null,
    );
  });

  t.test(`${name}: what begins because a reply was lost is asked for again, and sent once`, async (t) => {
    let losses = 2;
    const { create, find, worker, ports, asked } = gatewayOn(t, await open(t), {
      tasks: 1,
      async meddle(method, call) {
        const result = await call();
        if (method === 'begin' && losses-- > 0) return away();
        return result;
      },
    });
    const first = await create('first');
    const second = await create('second');
    await ports.store.remove(first.avatar.id, first.version);
    worker.wake();
    await until('it is begun', async () =>
      (await find(second.avatar.id))?.status === 'pending' ? true : null,
    );
    t.equal(asked.filter((what) => what === 'POST').length, 2);
    t.match(await find(second.avatar.id), { attempt: 1, taskId: 'second' });
  });

  t.test(`${name}: what began and was never heard of is given back at a stop`, async (t) => {
    let isLost = true;
    const { create, find, worker, ports, stop, asked } = gatewayOn(t, await open(t), {
      tasks: 1,
      async meddle(method, call) {
        const result = await call();
        if (method === 'begin' && isLost) return away();
        return result;
      },
    });
    const first = await create('first');
    const second = await create('second');
    await ports.store.remove(first.avatar.id, first.version);
    worker.wake();
    await until('it is begun', async () =>
      (await find(second.avatar.id))?.status === 'submitting' ? true : null,
    );
    stop.abort();
    isLost = false;
    await worker.close();
    t.match(await find(second.avatar.id), { status: 'queued' });
    t.equal(asked.filter((what) => what === 'POST').length, 1);
  });

  t.test(
    `${name}: [A1] [F47] what a store that came back older hands out again is not sent again`,
    async (t) => {
      const { create, find, worker, ports, asked } = gatewayOn(t, await open(t));
      // Another process may have tried it meanwhile, and been refused.
      for (const attempt of [0, 4]) {
        const { avatar, version } = await create(`paid ${attempt}`);
        await ports.store.remove(avatar.id, version);
        // As it was when the snapshot was made.
        const older = {
          ...avatar,
          status: 'queued',
          step: 'submit',
          taskId: null,
          submittedAt: null,
        } as const;
        const then = { ...older, keyId: null, attempt, intent: null };
        await ports.store.admit(then, packSubmission(SENT), dueIn(LONG));
        worker.wake();
        await until('it is begun', async () => ((await find(avatar.id))?.completedAt ? true : null));
        t.match(await find(avatar.id), { status: 'unconfirmed', failure: { detail: /came back older/ } });
      }
      t.equal(asked.filter((what) => what === 'POST').length, 2);
    },
  );

  t.test(`${name}: [B9] at a stop a new avatar is queued, and its caller told at once`, async (t) => {
    const { create, stop, asked } = gatewayOn(t, await open(t));
    stop.abort();
    t.match(await create('late'), { avatar: { status: 'queued' } });
    t.notOk(asked.includes('POST'));
  });

  t.test(
    `${name}: [B2] an answer that was paid for is on disk after three seconds, whatever hangs`,
    async (t) => {
      const { hangs, release } = hanging();
      const { create, spooled, find } = gatewayOn(t, await open(t), {
        meddle: (method, call) => (method === 'save' ? hangs.then(call) : undefined),
        change: { settings: { ...SETTINGS, submitGraceMs: 0 } },
      });
      const startedAt = performance.now();
      const { avatar } = await create('slow');
      t.equal(avatar.status, 'submitting');
      await until('it is on disk', async () => (spooled.size === 1 ? true : null));
      const afterMs = performance.now() - startedAt;
      t.ok(afterMs >= 2_900, `after ${Math.round(afterMs)} ms, and not with each submit`);
      t.match(
        [...spooled.values()],
        [{ avatarId: avatar.id, outcome: { kind: 'accepted', taskId: 'slow' } }],
      );
      t.match(await find(avatar.id), { status: 'submitting', intent: [...spooled.values()][0]?.intent });
      release();
      await until('it is written', async () => ((await find(avatar.id))?.status === 'pending' ? true : null));
      await until('it is off the disk', async () => (spooled.size === 0 ? true : null));
    },
  );

  t.test(`${name}: [B2] a paid answer does not wait for what is learned of limits`, async (t) => {
    const { create, ports } = gatewayOn(t, await open(t));
    await create('first');
    const { hangs, release } = hanging();
    const report = ports.limits.report.bind(ports.limits);
    ports.limits.report = async (...args) => {
      await hangs;
      return report(...args);
    };
    const second = create('second');
    await until('it is settled', async () => {
      const { found } = await ports.store.list(ANONYMOUS.name, EVERYTHING);
      return found.every(({ avatar }) => avatar.status === 'pending') && found.length === 2 ? true : null;
    });
    release();
    t.match(await second, { avatar: { status: 'pending' } });
  });

  t.test(`${name}: [B12] where there is nothing to send, it is never unconfirmed`, async (t) => {
    let isLost = true;
    const { create, find, worker, ports, asked } = gatewayOn(t, await open(t), {
      tasks: 1,
      meddle(method, call) {
        if (method === 'begin') return call().then(withoutBytes);
        if (method === 'submission') return Promise.resolve(null);
        if (method !== 'save' || !asked.includes('submission') || !isLost) return undefined;
        isLost = false;
        return away();
      },
    });
    const first = await create('first');
    const second = await create('second');
    await ports.store.remove(first.avatar.id, first.version);
    worker.wake();
    await until('it ends', async () => ((await find(second.avatar.id))?.completedAt ? true : null));
    t.match(await find(second.avatar.id), { status: 'failed', failure: { type: 'never-sent' } });
  });

  t.test(`${name}: [B11] what makes no work wakes nobody`, async (t) => {
    const store = await open(t);
    const one = gatewayOn(t, store, { tasks: 1 });
    await one.create('first');
    one.worker.start();
    const startedAt = performance.now();
    await Promise.all(Array.from({ length: 300 }, (_, i) => one.create(`queued-${i}`)));
    const passes = one.asked.filter((what) => what === 'outlook').length;
    const most = (performance.now() - startedAt) / 20 + 2;
    t.ok(passes <= most, `${passes} passes for 300 avatars, at most one in 20 ms`);
  });
}
