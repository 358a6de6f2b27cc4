/** What a push costs: nothing where its token is forged, a look and a write where it is the first of its avatar. */

import t, { type Test } from 'tap';
import { ANONYMOUS } from '../../src/domain/caller.js';
import { pushed } from '../../src/domain/moves.js';
import type { PushOutcome } from '../../src/gateway/ports.js';
import { Pushes } from '../../src/gateway/pushes/pushes.js';
import { PushTokens } from '../../src/gateway/pushes/tokens.js';
import { StoreUnavailableError } from '../../src/store/store.js';
import { EVERYTHING } from '../store/fixtures.js';
import { until } from '../support/until.js';
import { gatewayOn, type Options, STORES } from './one-gateway.js';
import { COUNTS } from './world.js';

/** A gateway with a pending avatar, and its token. */
async function withAvatar(t: Test, store: Parameters<typeof gatewayOn>[1], options: Options = {}) {
  const outcomes: PushOutcome[] = [];
  const counts = { ...COUNTS, push: (outcome: PushOutcome) => void outcomes.push(outcome) };
  const gateway = gatewayOn(t, store, { ...options, change: { counts, ...options.change } });
  const tokens = new PushTokens(gateway.ports.store, 'https://gateway.example');
  const woken: number[] = [];
  const pushes = new Pushes(gateway.ports, tokens, (inMs) => void woken.push(inMs));
  const { avatar, version } = await gateway.create('first');
  const tokenOf = async (id: string) => (await tokens.urlFor(id)).replace(/^.*\//, '');
  const token = await tokenOf(avatar.id);
  gateway.asked.length = 0;
  return { ...gateway, pushes, tokenOf, token, avatar, version, woken, outcomes };
}

for (const [name, open] of Object.entries(STORES)) {
  t.test(`${name}: a push is a look and a write, those beside it are none`, async (t) => {
    const { pushes, token, asked, woken, outcomes, find, avatar } = await withAvatar(t, await open(t));
    await Promise.all([pushes.take(token), pushes.take(token), pushes.take(token)]);
    await pushes.take(token);
    t.strictSame(asked, ['find', 'save']);
    t.strictSame(woken, [0]);
    t.strictSame(outcomes, ['polled', 'joined', 'joined', 'joined']);
    t.match(await find(avatar.id), { pushedAt: Number, status: 'pending' });
  });

  t.test(`${name}: a forged one asks the store nothing`, async (t) => {
    const { pushes, token, asked, outcomes, avatar } = await withAvatar(t, await open(t));
    const flood = Array.from({ length: 500 }, (_, i) => [`${token}${i}`, `${avatar.id}.${i}`, `${i}`]).flat();
    for (const each of flood)
      await t.rejects(pushes.take(each), { slug: 'not-found', message: /nothing here/ });
    t.strictSame(asked, []);
    t.strictSame(new Set(outcomes), new Set(['forged']));
  });

  t.test(`${name}: where a poll was made a moment ago, the next one is two seconds behind it`, async (t) => {
    const { pushes, token, ports, woken, avatar, version } = await withAvatar(t, await open(t));
    const now = await ports.limits.storeNow();
    const polled = { ...avatar, status: 'processing', polls: 1, polledAt: Math.round(now) } as const;
    await ports.store.save(polled, version, { dueInMs: 3_600_000, submission: 'drop' });
    await pushes.take(token);
    const [inMs = 0] = woken;
    t.ok(inMs > 0 && inMs <= 2_100, `${inMs} ms`);
  });

  t.test(`${name}: one that waits to be polled is not written again`, async (t) => {
    const { pushes, token, ports, asked, woken, outcomes, avatar, version } = await withAvatar(
      t,
      await open(t),
    );
    const before = pushed(avatar, 1);
    await ports.store.save(before, version, { dueInMs: 0, submission: 'drop' });
    asked.length = 0;
    await pushes.take(token);
    t.strictSame([asked, woken, outcomes], [['find'], [], ['joined']]);
  });

  t.test(`${name}: a write that comes in between is written over, not lost`, async (t) => {
    let meddles = false;
    const { pushes, token, ports, woken, avatar, version } = await withAvatar(t, await open(t), {
      async meddle(method, call) {
        if (method !== 'save' || !meddles) return call();
        meddles = false;
        await ports.store.save({ ...avatar, polls: 7 }, version, { dueInMs: 9_000, submission: 'drop' });
        return call();
      },
    });
    meddles = true;
    await pushes.take(token);
    t.strictSame(woken, [0]);
    const found = await ports.store.find(avatar.caller, avatar.id);
    t.match(found, { avatar: { polls: 7, pushedAt: Number } });
  });

  t.test(`${name}: while the submit is under way Modellix is to push again`, async (t) => {
    let answer = (): void => undefined;
    const answered = new Promise<void>((resolve) => {
      answer = resolve;
    });
    const { pushes, create, tokenOf, ports, outcomes } = await withAvatar(t, await open(t), {
      submit: async (prompt) => {
        if (prompt === 'slow') await answered;
        return { kind: 'accepted', taskId: prompt };
      },
    });
    const slow = create('slow');
    const id = await until('it is on its way', async () => {
      const { found } = await ports.store.list(ANONYMOUS.name, { ...EVERYTHING, statuses: ['submitting'] });
      return found[0]?.avatar.id ?? null;
    });
    const token = await tokenOf(id);
    for (let i = 0; i < 3; i++) {
      const refusal = { slug: 'not-ready', message: /not there yet/, headers: { 'retry-after': '2' } };
      await t.rejects(pushes.take(token), refusal);
    }
    t.strictSame(outcomes, ['early', 'early', 'early']);
    answer();
    await slow;
  });

  t.test(`${name}: while the store is away Modellix is to push again`, async (t) => {
    let isAway = false;
    const { pushes, token, asked } = await withAvatar(t, await open(t), {
      meddle: () => (isAway ? Promise.reject(new StoreUnavailableError('away')) : undefined),
    });
    isAway = true;
    await t.rejects(Promise.all([pushes.take(token), pushes.take(token)]), StoreUnavailableError);
    t.strictSame(asked, ['find']);
  });

  t.test(`${name}: no more avatars are looked for at once than there may be`, async (t) => {
    const { pushes, tokenOf, asked, outcomes } = await withAvatar(t, await open(t));
    const tokens = await Promise.all(Array.from({ length: 1_100 }, (_, i) => tokenOf(`av_${i}`)));
    const taken = await Promise.allSettled(tokens.map((each) => pushes.take(each)));
    const refused = taken.filter(({ status }) => status === 'rejected');
    t.equal(refused.length, 100);
    for (const each of refused)
      t.match(each, { reason: { slug: 'rate-limited', headers: { 'retry-after': '2' } } });
    t.equal(asked.length, 1_000);
    t.strictSame(new Set(outcomes), new Set(['late', 'too_many']));
  });
}
