/** What callers may spend, over HTTP, on both stores; two replicas on Redis. */

import t, { type Test } from 'tap';
import type { AvatarView } from '../../src/http/schemas/avatar.js';
import type { UsageView } from '../../src/http/schemas/usage.js';
import type { Fate } from '../simulator/tasks.js';
import type { RunningApp } from '../support/app.js';
import { callersFile } from '../support/callers.js';
import { promised } from '../support/openapi.js';
import { STORES, startReplicas } from '../support/replicas.js';
import { postJson, URLS, wav } from '../support/requests.js';
import { until } from '../support/until.js';

/** An avatar of 2 s with `std` costs so much. */
const TWO_SECONDS_USD = 0.0896;
const SHORT = { image: URLS.image, sound_file: wav(2).toString('base64') };
/** One whose speech nobody knows the length of. */
const LONGEST_USD = 13.44;

const nothing = { avatars: 0, seconds: 0, usd: 0 };
const nothingSettled = { ...nothing, estimated_usd: 0, billed_usd: 0 };

interface Calling {
  readonly app: RunningApp;
  readonly headers: Record<string, string>;
}

const create = ({ app, headers }: Calling, body: object = SHORT, more: Record<string, string> = {}) =>
  postJson(app.url, body, { ...headers, ...more });

async function created(calling: Calling, body: object = SHORT): Promise<AvatarView> {
  const response = await create(calling, body);
  if (response.status !== 202) throw new Error(`${response.status}: ${await response.text()}`);
  return (await response.json()) as AvatarView;
}

async function usageOf(t: Test, { app, headers }: Calling, query = ''): Promise<UsageView> {
  const response = await fetch(`${app.url}/usage${query}`, { headers });
  return (await promised(t, response, 'GET', '/usage')) as UsageView;
}

/** An avatar's task: it may have been queued at first. */
function taskOf({ app, headers }: Calling, id: string): Promise<string> {
  return until(`${id} has a task`, async () => {
    const response = await fetch(`${app.url}/avatars/${id}`, { headers });
    return ((await response.json()) as AvatarView).task_id;
  });
}

function became({ app, headers }: Calling, id: string, status: AvatarView['status']): Promise<AvatarView> {
  return until(`${id} is ${status}`, async () => {
    const response = await fetch(`${app.url}/avatars/${id}`, { headers });
    const avatar = (await response.json()) as AvatarView;
    return avatar.status === status ? avatar : null;
  });
}

async function refusedAs(t: Test, response: Response, status: number, slug: string) {
  t.equal(response.status, status);
  const problem = (await promised(t, response, 'POST', '/avatars')) as { detail: string };
  t.match(problem, { type: `urn:avatar-gateway:problem:${slug}` });
  return problem;
}

for (const store of STORES) {
  t.test(`${store}: what callers may spend`, async (t) => {
    const callers = await callersFile(t, {
      ten: { usd_per_day: 10 * TWO_SECONDS_USD, requests_per_minute: 100_000 },
      shop: { usd_per_day: 20, usd_per_month: 27 },
      billed: { usd_per_day: 1 },
      unsure: {},
      few: { unfinished_avatars: 2 },
      plain: { modes: ['std'] },
    });
    const { one, other } = await startReplicas(t, store, { callers: { kind: 'file', file: callers.file } });
    const { simulator } = one;
    const on = (app: RunningApp, name: string): Calling => ({ app, headers: callers.as(name) });

    await t.test('of 200 at once, a cap of ten has ten accepted', async (t) => {
      const answers = await Promise.all(
        Array.from({ length: 200 }, (_, n) => create(on(n % 2 === 0 ? one : other, 'ten'))),
      );
      const statuses = answers.map(({ status }) => status);
      t.equal(statuses.filter((status) => status === 202).length, 10);
      t.equal(statuses.filter((status) => status === 402).length, 190);
      const refused = answers.find(({ status }) => status === 402) as Response;
      const { detail } = await refusedAs(t, refused, 402, 'spend-cap-reached');
      t.match(detail, /^The avatar may cost 0\.0896 USD, .* of the 0\.896 USD .* in a day\./);
      const seconds = Number(refused.headers.get('retry-after'));
      t.ok(seconds > 0 && seconds <= 86_400, `${seconds} s`);
      await until('all are submitted', async () => simulator.calls('submit').length >= 10 || null);
      t.equal(simulator.calls('submit').length, 10);
      t.match(await usageOf(t, on(other, 'ten')), {
        data: [
          {
            caller: 'ten',
            mode: 'std',
            reserved: { avatars: 10, seconds: 20, usd: 0.896 },
            settled: nothingSettled,
          },
        ],
        caps: { day: { usd: 0.896, used_usd: 0.896, left_usd: 0 }, month: null },
      });
    });

    await t.test('what failed leaves room, what succeeded does not', async (t) => {
      const shop = on(one, 'shop');
      const kept = await created(shop);
      t.match(kept.cost, { estimate: TWO_SECONDS_USD, reserved: TWO_SECONDS_USD, settled: null });
      const lost = await created(shop);
      simulator.settle(await taskOf(shop, kept.id), { end: 'success' });
      simulator.settle(await taskOf(shop, lost.id), { end: 'failed' });
      t.match((await became(shop, kept.id, 'succeeded')).cost, { reserved: null, settled: TWO_SECONDS_USD });
      t.match((await became(shop, lost.id, 'failed')).cost, { reserved: null, settled: null });
      t.match(await usageOf(t, on(other, 'shop')), {
        total: {
          reserved: nothing,
          settled: {
            ...{ avatars: 1, seconds: 2, usd: TWO_SECONDS_USD },
            ...{ estimated_usd: TWO_SECONDS_USD, billed_usd: TWO_SECONDS_USD },
          },
        },
        caps: { day: { used_usd: TWO_SECONDS_USD }, month: { used_usd: TWO_SECONDS_USD } },
      });
    });

    await t.test(
      'speech of unknown length is held as the longest, and settled as the video is',
      async (t) => {
        const shop = on(one, 'shop');
        const avatar = await created(shop, URLS);
        t.match(avatar.cost, { estimate: null, reserved: LONGEST_USD });
        await refusedAs(t, await create(on(other, 'shop'), URLS), 402, 'spend-cap-reached');
        simulator.settle(await taskOf(shop, avatar.id), { end: 'success' });
        const { cost } = await became(shop, avatar.id, 'succeeded');
        t.match(cost, { reserved: null, settled: Number });
        t.ok(Number(cost.settled) < 1, `${cost.settled} USD`);
        t.equal((await create(on(other, 'shop'), URLS)).status, 202);
      },
    );

    await t.test('what Modellix billed is what was spent, of what failed too', async (t) => {
      const billed = on(one, 'billed');
      t.teardown(() => simulator.configure({ prices: { std: 0.0448 }, billing: 'amount' }));
      const end = async (fate: Fate, billing: 'amount' | 'absent' | 'malformed' = 'amount') => {
        const { id } = await created(billed);
        const task = await taskOf(billed, id);
        simulator.configure({ billing });
        simulator.settle(task, fate);
        const status = fate.end === 'success' ? 'succeeded' : 'failed';
        return (await became(on(other, 'billed'), id, status)).cost;
      };
      simulator.configure({ prices: { std: 0.1 } });
      const cost = { estimate: TWO_SECONDS_USD, reserved: null };
      t.match(await end({ end: 'success' }), { ...cost, settled: 0.2, basis: 'billed' });
      t.match(await end({ end: 'failed' }), { ...cost, settled: null, basis: 'estimated' });
      t.match(await end({ end: 'failed', billed: true }), { ...cost, settled: 0.2, basis: 'billed' });
      const estimated = { ...cost, settled: TWO_SECONDS_USD, basis: 'estimated' };
      t.match(await end({ end: 'success' }, 'absent'), estimated);
      for (let i = 0; i < 2; i++) t.match(await end({ end: 'success' }, 'malformed'), estimated);
      t.match(await usageOf(t, on(other, 'billed')), {
        total: {
          reserved: nothing,
          settled: { avatars: 5, seconds: 10, usd: 0.6688, estimated_usd: 0.448, billed_usd: 0.4 },
        },
        caps: { day: { usd: 1, used_usd: 0.6688, left_usd: 0.3312 } },
      });
      for (let i = 0; i < 3; i++) await created(billed);
      await refusedAs(t, await create(billed), 402, 'spend-cap-reached');

      const told: object[] = [];
      for (const app of new Set([one, other])) {
        const metrics = await (await fetch(`${app.url}/metrics`, { headers: billed.headers })).text();
        const said = (text: string) => app.logLines().filter((line) => line.includes(text));
        const moved = said('bills another price than is set here');
        const unusable = said('is no amount');
        t.ok(moved.length <= 1 && unusable.length <= 1, 'by each process, once');
        t.equal(metrics.includes('prices_moved_total{mode="std"} 1'), moved.length === 1);
        told.push(...[...moved, ...unusable].map((line) => JSON.parse(line)));
      }
      t.match(
        told.find((line) => 'billedUsd' in line),
        { level: 40, mode: 'std', billedUsd: 0.2, estimatedUsd: TWO_SECONDS_USD },
      );
      t.match(
        told.find((line) => 'word' in line),
        { level: 40, word: '"0.2 dollars" "USD"' },
      );
    });

    await t.test('what is not known of speech is known by its bill', async (t) => {
      const unsure = on(one, 'unsure');
      const { id } = await created(unsure, { image: URLS.image, audio_id: 'audio-1' });
      const task = await taskOf(unsure, id);
      const resources = [{ url: 'https://example.com/v.mp4' }];
      const bill = { status: 'succeeded', amount: '0.2240' };
      const patch = { data: { result: { resources }, billing: bill } };
      simulator.inject({ on: 'query', task, times: 1_000, do: { patch } });
      simulator.settle(task, { end: 'success' });
      t.match((await became(unsure, id, 'succeeded')).cost, { settled: 0.224, basis: 'billed' });
      t.match((await usageOf(t, unsure)).total.settled, { seconds: 5, usd: 0.224, estimated_usd: 0.224 });
    });

    await t.test('a request that made an avatar before gives it, whatever the caps', async (t) => {
      const ten = on(other, 'ten');
      await refusedAs(t, await create(ten, SHORT, { 'idempotency-key': 'late' }), 402, 'spend-cap-reached');
      const shop = on(one, 'shop');
      const key = { 'idempotency-key': 'again' };
      const first = await create(shop, SHORT, key);
      t.equal(first.status, 202);
      const { id } = (await first.json()) as AvatarView;
      while ((await create(shop, URLS)).status !== 402);
      const again = await create(on(other, 'shop'), SHORT, key);
      t.equal(again.status, 202);
      t.match(await again.json(), { id });
    });

    await t.test('80 % of a cap is told of once', async (t) => {
      const warnings = [one, ...(other === one ? [] : [other])]
        .flatMap((app) => app.logLines())
        .filter((line) => line.includes('spent most of what it may') && line.includes('"ten"'));
      t.equal(warnings.length, 1);
      t.match(JSON.parse(warnings[0] ?? '{}'), { level: 40, caller: 'ten', period: 'day', capUsd: 0.896 });
    });

    await t.test('so many unfinished avatars, and no more', async (t) => {
      const answers = await Promise.all(Array.from({ length: 8 }, () => create(on(one, 'few'))));
      t.equal(answers.filter(({ status }) => status === 202).length, 2);
      const refused = answers.find(({ status }) => status === 429) as Response;
      await refusedAs(t, refused, 429, 'too-many-unfinished');
      const [avatar] = await Promise.all(
        answers
          .filter(({ status }) => status === 202)
          .map(async (answer) => (await answer.json()) as AvatarView),
      );
      simulator.settle(await taskOf(on(one, 'few'), String(avatar?.id)), { end: 'failed' });
      await became(on(one, 'few'), String(avatar?.id), 'failed');
      t.equal((await create(on(other, 'few'))).status, 202);
    });

    await t.test('a mode that is not for it', async (t) => {
      const plain = on(one, 'plain');
      await refusedAs(t, await create(plain, { ...SHORT, mode: 'pro' }), 403, 'forbidden');
      const checked = await fetch(`${one.url}/avatars/check`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...plain.headers },
        body: JSON.stringify({ ...SHORT, mode: 'pro' }),
      });
      t.equal(checked.status, 403);
      t.equal((await create(plain)).status, 202);
    });

    await t.test('days that were not asked for are left out', async (t) => {
      const ten = on(one, 'ten');
      t.match(await usageOf(t, ten, '?from=2020-01-01&to=2020-12-31'), {
        from: '2020-01-01',
        to: '2020-12-31',
        data: [],
        total: { reserved: nothing, settled: nothingSettled },
        caps: { day: { used_usd: 0.896 } },
      });
      for (const query of [
        '?from=2026-11-31',
        '?from=2026-11-02&to=2026-11-01',
        '?from=2020-01-01&to=2026-01-01',
        '?day=1',
      ]) {
        const response = await fetch(`${one.url}/usage${query}`, { headers: ten.headers });
        t.equal(response.status, 400, query);
        t.match(await promised(t, response, 'GET', '/usage'), { type: /invalid-query$/ });
      }
    });
  });
}
