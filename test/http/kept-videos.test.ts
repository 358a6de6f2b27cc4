/** Videos that the gateway keeps, on both stores; two replicas on Redis share a folder. */

import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { AvatarView } from '../../src/http/schemas/avatar.js';
import { parseNetworks } from '../../src/outbound/addresses.js';
import type { RunningApp } from '../support/app.js';
import { startReceiver, verified } from '../support/receiver.js';
import { STORES, startReplicas } from '../support/replicas.js';
import { createAvatar, readAvatar, URLS } from '../support/requests.js';
import { until } from '../support/until.js';
import { bytesOf } from '../support/video.js';

const VIDEO = await readFile(new URL('../simulator/result.mp4', import.meta.url));

async function folderOf(t: Test): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'avatar-gateway-kept-'));
  t.teardown(() => rm(dir, { recursive: true, force: true }));
  return dir;
}

const keepingIn = (dir: string, limits: object = {}) => ({
  videos: { keep: { dir, maxBytes: 1_000_000, maxTotalBytes: 1e9, ...limits } },
  callbacks: { allowedNetworks: parseNetworks('127.0.0.0/8') },
});

/** An avatar whose task has ended well, and that may not have been looked at since. */
async function made({ url, simulator }: RunningApp, more: object = {}): Promise<AvatarView> {
  const avatar = await createAvatar(url, { ...URLS, ...more });
  simulator.settle(String(avatar.task_id), { end: 'success' });
  return avatar;
}

function become(
  { url }: RunningApp,
  id: string,
  what: string,
  isIt: (avatar: AvatarView) => boolean,
): Promise<AvatarView> {
  return until(`${id} is ${what}`, async () => {
    const avatar = await readAvatar(url, id);
    return isIt(avatar) ? avatar : null;
  });
}

const succeeded = (app: RunningApp, id: string) =>
  become(app, id, 'succeeded', ({ status }) => status === 'succeeded');
const kept = (app: RunningApp, id: string) => become(app, id, 'kept', ({ video }) => video?.kept === true);

for (const store of STORES) {
  t.test(`${store}: a video that is kept`, async (t) => {
    const dir = await folderOf(t);
    const { one, other } = await startReplicas(t, store, keepingIn(dir));
    const { simulator } = one;
    const results = () => simulator.calls('result').length;

    await t.test('outlives what Modellix has', async (t) => {
      const { id, task_id } = await made(one);
      const { video, expires_at } = await kept(one, id);
      t.match(video, { kept: true, expires_at, bytes: VIDEO.length });
      t.same(await readdir(dir), [`${id}.mp4`]);
      t.equal(results(), 1);
      simulator.forget(String(task_id));
      const queries = simulator.calls('query').length;
      for (const app of [one, other]) {
        const url = `${app.url}/avatars/${id}/video`;
        const whole = await fetch(url);
        t.equal(whole.status, 200);
        t.match(Object.fromEntries(whole.headers), {
          'content-type': 'video/mp4',
          'content-length': String(VIDEO.length),
          'accept-ranges': 'bytes',
          'cache-control': 'private, no-store',
          'content-disposition': `inline; filename="${id}.mp4"`,
          etag: /^"[0-9a-f]+-[0-9a-f]+"$/,
          'last-modified': / GMT$/,
        });
        t.ok((await bytesOf(whole)).equals(VIDEO));
        const range = { range: 'bytes=100-', 'if-range': whole.headers.get('etag') ?? '' };
        const part = await fetch(url, { headers: range });
        t.equal(part.status, 206);
        t.equal(part.headers.get('content-range'), `bytes 100-${VIDEO.length - 1}/${VIDEO.length}`);
        t.ok((await bytesOf(part)).equals(VIDEO.subarray(100)));
        const outside = await fetch(url, { headers: { range: `bytes=${VIDEO.length}-` } });
        t.equal(outside.status, 416);
        t.equal(outside.headers.get('content-range'), `bytes */${VIDEO.length}`);
        const head = await fetch(url, { method: 'HEAD' });
        t.same([head.status, head.headers.get('content-length')], [200, String(VIDEO.length)]);
        t.equal((await bytesOf(head)).length, 0);
        const there = await fetch(`${url}?redirect=true`, { redirect: 'manual' });
        t.equal(there.status, 200, 'nobody is sent to where it is gone');
        t.ok((await bytesOf(there)).equals(VIDEO));
        t.equal((await fetch(`${url}/${id}.mp4`)).status, 200, 'under the name that tasks give it');
      }
      t.same([results(), simulator.calls('query').length], [1, queries], 'nobody is asked for it again');
      const metrics = await (await fetch(`${one.url}/metrics`)).text();
      const elsewhere = await (await fetch(`${other.url}/metrics`)).text();
      t.match(metrics + elsewhere, /avatar_gateway_videos_total\{outcome="kept"\} 1/);

      t.equal((await fetch(`${one.url}/avatars/${id}`, { method: 'DELETE' })).status, 204);
      t.same(await readdir(dir), [], 'it goes with its avatar');
    });

    await t.test('is kept before anybody is told, and the avatar has succeeded all the while', async (t) => {
      const receiver = await startReceiver(t);
      const held = simulator.inject({ on: 'result', do: { hold: true } });
      const { id } = await made(one, { callback_url: receiver.url });
      await held.met;
      t.match(await succeeded(one, id), { video: { kept: false }, callback: { state: 'waiting' } });
      const again = await fetch(`${one.url}/avatars/${id}/redeliver`, { method: 'POST' });
      t.equal(again.status, 202, 'who asks for it to be told again waits as well');
      t.equal((await fetch(`${other.url}/avatars/${id}/video`)).status, 200, 'it is there at its host');
      t.same(receiver.calls, []);
      held.release();
      t.match(verified(await receiver.call(0)).data, { status: 'succeeded', video: { kept: true } });
      await become(one, id, 'told', ({ callback }) => callback?.state === 'delivered');
      t.equal(receiver.calls.length, 1);
    });

    await t.test('forgotten while it is being kept', async (t) => {
      const held = simulator.inject({ on: 'result', do: { hold: true } });
      const { id } = await made(one);
      await held.met;
      await succeeded(one, id);
      t.equal((await fetch(`${one.url}/avatars/${id}`, { method: 'DELETE' })).status, 204);
      held.release();
      await until('nothing is left of it', async () => {
        const files = await readdir(dir);
        return files.some((file) => file.startsWith(id)) ? null : true;
      });
      t.equal((await fetch(`${one.url}/avatars/${id}`)).status, 404);
    });

    await t.test('from a host that breaks off, and by a URL that is over', async (t) => {
      simulator.inject({ on: 'result', when: 'after', do: { reset: 'mid-body' } });
      const { id } = await made(one);
      await kept(one, id);
      simulator.configure({ urlTtlMs: 1 });
      const held = simulator.inject({ on: 'result', do: { hold: true } });
      const late = await made(one);
      await held.met;
      simulator.configure({ urlTtlMs: 0 });
      held.release();
      await kept(one, late.id);
      const files = await readdir(dir);
      t.same(
        files.filter((file) => !file.endsWith('.mp4')),
        [],
      );
    });

    await t.test('[R04] [F67] from a host that lags behind the success', async (t) => {
      simulator.configure({ resultLagMs: 3_600_000 });
      const tooEarly = simulator.nextEnd('result');
      const { id } = await made(one);
      t.match(await tooEarly, { status: 404 });
      t.match(await succeeded(one, id), { video: { kept: false } });
      simulator.configure({ resultLagMs: 0 });
      await kept(one, id);
      const { task_id } = await readAvatar(one.url, id);
      t.ok(simulator.calls('result').filter(({ taskId }) => taskId === task_id).length > 1);
    });

    await t.test('a file that somebody removed: its host is asked', async (t) => {
      const { id } = await made(one);
      await kept(one, id);
      await rm(join(dir, `${id}.mp4`));
      const asked = results();
      t.ok((await bytesOf(await fetch(`${one.url}/avatars/${id}/video`))).equals(VIDEO));
      t.equal(results(), asked + 1);
    });

    await t.test('one that is gone before it was kept', async (t) => {
      const receiver = await startReceiver(t);
      simulator.configure({ resultTtlMs: 0 });
      const { id } = await made(one, { callback_url: receiver.url });
      t.match(verified(await receiver.call(0)).data, { status: 'succeeded', video: { kept: false } });
      t.equal((await fetch(`${one.url}/avatars/${id}/video`)).status, 410);
    });
  });

  t.test(`${store}: a video that is too large is left at its host`, async (t) => {
    const dir = await folderOf(t);
    const keep = keepingIn(dir, { maxBytes: VIDEO.length - 1 });
    const { one, other } = await startReplicas(t, store, keep);
    const receiver = await startReceiver(t);
    const { id } = await made(one, { callback_url: receiver.url });
    t.match(verified(await receiver.call(0)).data, { status: 'succeeded', video: { kept: false } });
    t.same(await readdir(dir), []);
    const log = [...one.logLines(), ...other.logLines()].join('\n');
    t.match(log, new RegExp(`"avatarId":"${id}","refused":"too-large"`));
  });

  t.test(`${store}: retention ends it`, async (t) => {
    const dir = await folderOf(t);
    const { one } = await startReplicas(t, store, { ...keepingIn(dir), gateway: { retentionMs: 1_500 } });
    const { id } = await made(one);
    await until('it is kept', async () => ((await readdir(dir)).includes(`${id}.mp4`) ? true : null));
    await until('it is gone', async () => ((await readdir(dir)).length === 0 ? true : null));
    await until('so is the avatar', async () =>
      (await fetch(`${one.url}/avatars/${id}`)).status === 404 ? true : null,
    );
  });
}
