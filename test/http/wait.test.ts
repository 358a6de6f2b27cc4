/** Long polls: `Prefer: wait` and `respond-async` over real connections, on both stores. */

import t, { type Test } from 'tap';
import type { AvatarView } from '../../src/http/schemas/avatar.js';
import { type Replicas, reached, STORES, startReplicas } from '../support/replicas.js';
import { createAvatar, postJson, readAvatar, URLS } from '../support/requests.js';
import { until } from '../support/until.js';

const wait = (url: string, id: string, seconds: number, headers: Record<string, string> = {}) =>
  fetch(`${url}/avatars/${id}`, { headers: { prefer: `wait=${seconds}`, ...headers } });
const avatarIn = async (response: Response) => (await response.json()) as AvatarView;
const settle = ({ one }: Replicas, avatar: AvatarView) =>
  one.simulator.settle(String(avatar.task_id), { end: 'success' });

async function timed<T>(work: Promise<T>): Promise<{ result: T; ms: number }> {
  const begun = performance.now();
  const result = await work;
  return { result, ms: performance.now() - begun };
}

/** A final avatar. */
async function finished(t: Test, replicas: Replicas): Promise<AvatarView> {
  const avatar = await createAvatar(replicas.one.url);
  settle(replicas, avatar);
  const response = await wait(replicas.other.url, avatar.id, 60);
  t.equal(response.status, 200);
  return avatarIn(response);
}

for (const store of STORES) {
  t.test(`${store}: a read waits`, async (t) => {
    const replicas = await startReplicas(t, store);
    const { one, other } = replicas;

    await t.test('until the avatar is final, whichever replica brings that about', async (t) => {
      const avatar = await createAvatar(one.url);
      const waiting = wait(other.url, avatar.id, 60);
      await reached(other, avatar.links.self);
      settle(replicas, avatar);
      const { result: response, ms } = await timed(waiting);
      t.ok(ms < 30_000);
      t.equal(response.status, 200);
      t.equal(response.headers.get('preference-applied'), 'wait=60');
      t.equal(response.headers.get('vary'), 'Prefer');
      t.equal((await avatarIn(response)).status, 'succeeded');
    });

    await t.test('no longer than it was asked to, and has the avatar as it is', async (t) => {
      const avatar = await createAvatar(one.url);
      const { result: response, ms } = await timed(wait(other.url, avatar.id, 1));
      t.ok(ms >= 1_000);
      t.equal(response.status, 200);
      t.match(await avatarIn(response), { id: avatar.id, completed_at: null });
    });

    await t.test('not at all where it is final, and no more than a minute', async (t) => {
      const avatar = await finished(t, replicas);
      const response = await wait(other.url, avatar.id, 86_400);
      t.equal(response.headers.get('preference-applied'), 'wait=60');
      t.equal((await avatarIn(response)).status, 'succeeded');
    });

    await t.test('with an ETag until it is another one; 304 on time', async (t) => {
      const avatar = await createAvatar(one.url);
      const etag = async () => (await fetch(`${one.url}${avatar.links.self}`)).headers.get('etag') ?? '';
      let known = await etag();
      for (let unchanged = false; !unchanged; ) {
        const response = await wait(other.url, avatar.id, 1, { 'if-none-match': known });
        unchanged = response.status === 304;
        known = response.headers.get('etag') ?? '';
        t.equal(response.headers.get('preference-applied'), 'wait=1');
      }
      const before = other.logLines().length;
      const waiting = wait(other.url, avatar.id, 60, { 'if-none-match': known });
      await until('it waits', async () => (other.logLines().length > before ? true : null));
      settle(replicas, avatar);
      const response = await waiting;
      t.equal(response.status, 200);
      t.not(response.headers.get('etag'), known);
      t.equal((await avatarIn(response)).status, 'succeeded');
    });

    await t.test('until the avatar is removed', async (t) => {
      const avatar = await finished(t, replicas);
      const { headers } = await fetch(`${other.url}${avatar.links.self}`);
      const known = { 'if-none-match': headers.get('etag') ?? '' };
      const waiting = wait(other.url, avatar.id, 60, known);
      await reached(other, avatar.links.self, 3);
      t.equal((await fetch(`${one.url}${avatar.links.self}`, { method: 'DELETE' })).status, 204);
      t.equal((await waiting).status, 404);
    });

    await t.test('what is not there is not waited for', async (t) => {
      t.equal((await wait(other.url, `av_${'0'.repeat(32)}`, 60)).status, 404);
    });
  });

  t.test(`${store}: a creation waits`, async (t) => {
    const replicas = await startReplicas(t, store);
    const { one } = replicas;
    const post = (prefer: string, headers = {}) => postJson(one.url, URLS, { prefer, ...headers });

    await t.test('until the avatar is final', async (t) => {
      const before = one.simulator.ledger().length;
      const posting = post('wait=60');
      await until('the task is made', async () => one.simulator.ledger()[before] ?? null);
      one.simulator.settle(String(one.simulator.ledger()[before]?.taskId), { end: 'success' });
      const response = await posting;
      t.equal(response.status, 200);
      t.equal(response.headers.get('preference-applied'), 'wait=60');
      t.equal(response.headers.get('retry-after'), null);
      const avatar = await avatarIn(response);
      t.equal(avatar.status, 'succeeded');
      t.equal(response.headers.get('location'), avatar.links.self);
    });

    await t.test(
      'a task that failed is an answer; a request that Modellix refused is a problem',
      async (t) => {
        const before = one.simulator.ledger().length;
        const posting = post('wait=60');
        await until('the task is made', async () => one.simulator.ledger()[before] ?? null);
        one.simulator.settle(String(one.simulator.ledger()[before]?.taskId), {
          end: 'failed',
          reason: 'No face.',
        });
        const response = await posting;
        t.equal(response.status, 200);
        t.equal((await avatarIn(response)).status, 'failed');

        one.simulator.inject({ on: 'submit', times: 1, do: { status: 400 } });
        const refused = await post('wait=60');
        t.equal(refused.status, 422);
        t.match(await refused.json(), { type: 'urn:avatar-gateway:problem:refused-by-modellix' });
      },
    );

    await t.test('no longer than it was asked to in all, whatever the submit does', async (t) => {
      const held = one.simulator.inject({ on: 'submit', when: 'after', do: { hold: true } });
      const { result: response, ms } = await timed(post('wait=1'));
      t.ok(ms >= 1_000 && ms < 4_500, `${ms} ms; the grace is 5 s`);
      t.equal(response.status, 202);
      t.equal((await avatarIn(response)).status, 'submitting');
      t.match(response.headers.get('retry-after'), /^\d+$/);
      held.release();
    });

    await t.test('holding none of the memory of its body', async (t) => {
      const before = one.simulator.ledger().length;
      const posting = post('wait=60');
      const made = await until('the task is made', async () => one.simulator.ledger()[before] ?? null);
      await until('its memory is free', async () => {
        const text = await (await fetch(`${one.url}/metrics`)).text();
        return /^avatar_gateway_media_bytes 0$/m.test(text) ? true : null;
      });
      one.simulator.settle(made.taskId, { end: 'success' });
      t.equal((await posting).status, 200);
    });

    await t.test('not for the submit, where it prefers not to', async (t) => {
      const held = one.simulator.inject({ on: 'submit', when: 'after', do: { hold: true } });
      const response = await post('respond-async');
      t.equal(response.status, 202);
      t.equal(response.headers.get('preference-applied'), 'respond-async');
      const { id } = await avatarIn(response);
      await held.met;
      held.release();
      await until('it goes on', async () => (await readAvatar(one.url, id)).task_id);
    });

    await t.test('no longer than its caller stays, and the avatar goes on', async (t) => {
      const before = one.simulator.ledger().length;
      const caller = new AbortController();
      const headers = { 'content-type': 'application/json', prefer: 'wait=60', 'idempotency-key': 'gone' };
      const posting = fetch(`${one.url}/avatars`, {
        ...{ method: 'POST', headers, body: JSON.stringify(URLS), signal: caller.signal },
      });
      const made = await until('the task is made', async () => one.simulator.ledger()[before] ?? null);
      caller.abort();
      await t.rejects(posting, { name: 'AbortError' });
      one.simulator.settle(made.taskId, { end: 'success' });
      const again = await post('wait=60', { 'idempotency-key': 'gone' });
      t.equal(again.status, 200);
      t.equal(again.headers.get('idempotent-replayed'), 'true');
      t.match(await avatarIn(again), { status: 'succeeded', task_id: made.taskId });
      t.equal(one.simulator.ledger().length, before + 1);
    });
  });

  t.test(`${store}: who waits is let go when the gateway stops`, async (t) => {
    const { one, other } = await startReplicas(t, store);
    const avatar = await createAvatar(one.url);
    const waiting = wait(other.url, avatar.id, 60);
    const before = one.simulator.ledger().length;
    const posting = postJson(other.url, URLS, { prefer: 'wait=60' });
    await reached(other, avatar.links.self);
    await until('the task is made', async () => one.simulator.ledger()[before] ?? null);
    const { ms } = await timed(other.close());
    t.ok(ms < 10_000);
    t.match(await avatarIn(await waiting), { id: avatar.id, completed_at: null });
    const posted = await posting;
    t.equal(posted.status, 202);
    t.equal((await avatarIn(posted)).completed_at, null);
  });
}

t.test(
  '[F62] beyond its share of those who may wait a caller does not; who hangs up makes room',
  async (t) => {
    const { one } = await startReplicas(t, 'embedded', { maxWaiters: 2 });
    const avatar = await createAvatar(one.url);
    const caller = new AbortController();
    const waiting = fetch(`${one.url}${avatar.links.self}`, {
      headers: { prefer: 'wait=60' },
      signal: caller.signal,
    });
    await reached(one, avatar.links.self);
    const { result: refused, ms } = await timed(wait(one.url, avatar.id, 60));
    t.ok(ms < 30_000);
    t.equal(refused.status, 200);
    t.equal(refused.headers.get('preference-applied'), null);
    const stream = await fetch(`${one.url}${avatar.links.events}`);
    t.equal(stream.status, 503);
    t.match(stream.headers.get('retry-after'), /^\d+$/);
    t.match(await stream.json(), { type: 'urn:avatar-gateway:problem:overloaded' });

    caller.abort();
    await t.rejects(waiting, { name: 'AbortError' });
    await until('there is room', async () => {
      const response = await wait(one.url, avatar.id, 0);
      return response.headers.get('preference-applied');
    });
  },
);
