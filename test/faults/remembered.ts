/** What the store remembers, and what it costs: one that comes back older or damaged, avatars that are over, much to read. */

import { cp, open, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Test } from 'tap';
import type { AvatarView } from '../../src/http/schemas/avatar.js';
import { DATABASE } from '../../src/store/sqlite/database.js';
import { tempDir } from '../e2e/support.js';
import { clientOf } from '../store/fixtures-redis.js';
import type { AppOverrides } from '../support/app.js';
import { callersFile } from '../support/callers.js';
import { startRedis } from '../support/redis.js';
import { postJson, URLS } from '../support/requests.js';
import { until } from '../support/until.js';
import { atRest } from './at-rest.js';
import type { StoreName } from './cases.js';
import { ownRedis, underWay } from './outage.js';
import { passes, Subject } from './subject.js';
import { errorsOf, isReady, startWorld } from './world.js';

/** Case 47: Redis as nobody configured it, back from a snapshot in which an avatar waits that was sent since. */
export async function comesBackOlder(t: Test): Promise<void> {
  const { server, app, client } = await ownRedis(t, {});
  const finished = await Subject.post(app);
  await finished.succeeds();
  const { waiting, posted, goOn } = await underWay(app);
  await client.call('SAVE');
  await goOn();
  const sent = await posted;
  await waiting.becomes('pending');
  await server.kill();
  await server.start();
  await isReady(app);
  await passes(app);
  t.match(await waiting.becomes('unconfirmed'), { task_id: null });
  t.equal(waiting.tasks().length, 1, 'it was paid for once');
  await sent.becomes('unconfirmed', 'pending');
  t.equal(sent.posts().length, 1);
  t.match(await finished.read(), { status: 'succeeded' });
  const said = errorsOf(app).find(({ avatarId }) => avatarId === waiting.id);
  t.match(said, { msg: 'the store came back older than it was' });
}

/** Case 48: copies of a store, each with another byte wrong: refused at the start in a line, or harmless. */
export async function hasWrongBytes(t: Test, store: StoreName): Promise<void> {
  const app = await startWorld(t, store);
  const subjects = [await Subject.post(app), await Subject.post(app)] as const;
  await subjects[0].succeeds();
  await subjects[1].becomes('pending');
  await app.close();
  const { dataDir } = app.config;
  const { size } = await stat(join(dataDir, DATABASE));
  let refused = 0;
  for (let n = 0; n < 12; n++) {
    const copy = join(await tempDir(t), 'data');
    await cp(dataDir, copy, { recursive: true });
    await flip(join(copy, DATABASE), Math.floor((size * (n + 0.37)) / 12));
    const started = await startWorld(t, store, { dataDir: copy, beside: app.simulator }).catch(
      (error: Error) => error,
    );
    if (started instanceof Error) {
      t.match(started.message, /^[^\n]+$/, 'in one line');
      refused += 1;
      continue;
    }
    await passes(started);
    for (const { id } of subjects) {
      const { status } = await fetch(`${started.url}/avatars/${id}`);
      t.ok([200, 500].includes(status), `${status}: nothing is lost without a word`);
    }
    await started.close();
  }
  t.comment(`${refused} of 12 were refused at the start`);
  for (const subject of subjects) t.same([subject.posts().length, subject.tasks().length], [1, 1]);
}

async function flip(file: string, at: number): Promise<void> {
  const handle = await open(file, 'r+');
  const byte = Buffer.alloc(1);
  await handle.read(byte, 0, 1, at);
  await handle.write(Buffer.from([byte.readUInt8() ^ 0xff]), 0, 1, at);
  await handle.close();
}

/** Case 51: a caller with room for one unfinished avatar, whose only one is damaged. */
export async function isDamaged(t: Test, store: StoreName): Promise<void> {
  const { file, as } = await callersFile(t, { shop: { unfinished_avatars: 1 } });
  const on: AppOverrides = { callers: { kind: 'file', file } };
  const app = await startWorld(t, store, on);
  await app.simulator.pause();
  const post = (url: string, key: string) => postJson(url, URLS, { ...as('shop'), 'idempotency-key': key });
  const { id } = (await (await post(app.url, 'key-1')).json()) as AvatarView;
  t.equal((await post(app.url, 'key-2')).status, 429, 'there is no room for another');
  await app.close();
  await atRest(t, app.config).overwrite(id, 'not a record');
  await app.simulator.resume();

  const again = await app.restart();
  t.equal((await fetch(`${again.url}/avatars/${id}`, { headers: as('shop') })).status, 500);
  for (let i = 0; i < 2; i++) {
    const answer = await post(again.url, 'key-1');
    t.equal(answer.status, 500, 'it is not made again');
    t.match(await answer.json(), { type: 'urn:avatar-gateway:problem:record-damaged' });
  }
  const next = (await (await post(again.url, 'key-3')).json()) as AvatarView;
  const at = async () => {
    const read = await fetch(`${again.url}/avatars/${next.id}`, { headers: as('shop') });
    return ((await read.json()) as AvatarView).task_id;
  };
  again.simulator.settle((await until('it is at Modellix', at)) ?? '', { end: 'success' });
  const usage = await fetch(`${again.url}/usage`, { headers: as('shop') });
  t.equal(usage.status, 200);
  t.equal(again.simulator.ledger().length, 1);
}

/** Case 52: one page, whatever there is that does not fit its filters. */
export async function readsLittle(t: Test, store: StoreName): Promise<void> {
  const server = store === 'redis' ? await startRedis(t) : null;
  const redis = server && { redis: { url: server.url, prefix: 'faults' } };
  const app = await startWorld(t, store, { limits: { tasks: 1 }, ...redis });
  const client = server && clientOf(t, server.url);
  const body = { ...URLS, external_id: 'order-1' };
  const oldest = await Subject.post(app, { body });
  await oldest.becomes('pending');
  let others = 1_500;
  const cancel = async () => {
    while (others-- > 0) {
      const { id } = (await (await postJson(app.url, body)).json()) as AvatarView;
      t.equal((await fetch(`${app.url}/avatars/${id}/cancel`, { method: 'POST' })).status, 200);
    }
  };
  await Promise.all(Array.from({ length: 20 }, cancel));
  await client?.call('CONFIG', 'RESETSTAT');
  let found: string[] = [];
  let next = '/avatars?external_id=order-1&status=pending&limit=1';
  for (let pages = 0; found.length === 0 && pages < 5; pages++) {
    const page = await fetch(app.url + next);
    found = ((await page.json()) as { data: AvatarView[] }).data.map(({ id }) => id);
    const stats = (await client?.info('commandstats')) ?? '';
    const commands = [...stats.matchAll(/calls=(\d+)/g)].reduce((sum, [, calls]) => sum + Number(calls), 0);
    t.ok(commands < 1_300, `${commands} commands of Redis, those of the worker among them`);
    next = /^<(.*)>; rel="next"$/.exec(page.headers.get('link') ?? '')?.[1] ?? '';
  }
  t.same(found, [oldest.id]);
}

/** Case 59: who queues by mistake and cancels all of it is served as before. */
export async function givesTurnsBack(t: Test, store: StoreName): Promise<void> {
  const { file, as } = await callersFile(t, { a: {}, b: {} });
  const app = await startWorld(t, store, { callers: { kind: 'file', file }, limits: { tasks: 1 } });
  const post = async (caller: string) =>
    (await (await postJson(app.url, URLS, as(caller))).json()) as AvatarView;
  await post('b');
  const mistakes: AvatarView[] = [];
  while (mistakes.length < 300) mistakes.push(await post('a'));
  for (let i = 0; i < 5; i++) await post('b');
  for (const { id } of mistakes) {
    const canceled = await fetch(`${app.url}/avatars/${id}/cancel`, { method: 'POST', headers: as('a') });
    t.equal(canceled.status, 200);
  }
  const { queue } = await post('a');
  t.ok((queue?.position ?? 99) <= 3, `at position ${queue?.position}`);
  t.equal(app.simulator.ledger().length, 1);
}
