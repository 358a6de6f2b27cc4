/** Streams and waits end when the key does that they were opened with. */

import t, { type Test } from 'tap';
import type { AvatarView } from '../../src/http/schemas/avatar.js';
import { type AppOverrides, startApp } from '../support/app.js';
import { type CallerEntry, callersFile, keyOf, sha256 } from '../support/callers.js';
import { EventReader } from '../support/events.js';
import { reached } from '../support/replicas.js';
import { postJson, URLS } from '../support/requests.js';
import { ends, WITHIN_MS } from '../support/streams.js';
import { until } from '../support/until.js';

async function start(t: Test, listed: Readonly<Record<string, CallerEntry>>, overrides: AppOverrides = {}) {
  const callers = await callersFile(t, listed);
  const app = await startApp(t, { ...overrides, callers: { kind: 'file', file: callers.file } });
  const create = async (name: string) => {
    const response = await postJson(app.url, URLS, callers.as(name));
    t.equal(response.status, 202);
    return (await response.json()) as AvatarView;
  };
  const open = async (path: string, name: string) => {
    const reader = await EventReader.open(`${app.url}${path}`, undefined, callers.as(name));
    t.teardown(() => reader.drop());
    return reader;
  };
  return { app, callers, create, open };
}

t.test('[E7] [F63] a key that is removed ends its streams and waits, and nobody else', async (t) => {
  const { app, callers, create, open } = await start(t, { boss: { admin: true }, victim: {}, shop: {} });
  const avatar = await create('shop');
  const readers = [
    await open('/avatars/events', 'boss'),
    await open('/avatars/events', 'shop'),
    await open(avatar.links.events, 'shop'),
  ];
  const others = await open('/avatars/events', 'victim');
  const shop = callers.as('shop');
  const wait = { ...shop, prefer: 'wait=60' };
  const waiting = fetch(`${app.url}${avatar.links.self}`, { headers: wait });
  const asModellix = fetch(`${app.url}/api/v1/tasks/${avatar.id}?wait=true`, { headers: shop });
  const before = app.simulator.ledger().length;
  const posting = postJson(app.url, URLS, wait);
  await reached(app, avatar.links.self);
  await reached(app, `/api/v1/tasks/${avatar.id}`);
  await until('the task is made', async () => app.simulator.ledger()[before] ?? null);

  const begun = performance.now();
  await callers.replace({ victim: {} });
  t.ok(await ends(...readers));
  t.equal((await waiting).status, 401);
  t.equal((await asModellix).status, 401);
  const posted = await posting;
  t.equal(posted.status, 202, 'what was made is told: it is paid for');
  t.ok(performance.now() - begun < WITHIN_MS);
  for (const name of ['boss', 'shop']) t.equal((await open('/avatars/events', name)).status, 401);

  const { id } = await create('victim');
  t.equal((await others.next())?.avatar.id, id, 'others go on');
});

t.test('[E7] [F63] so does one that expires', async (t) => {
  const expires_at = new Date(Date.now() + 3_000).toISOString();
  const { app, callers, create, open } = await start(t, { guest: { expires_at }, shop: {} });
  const avatar = await create('guest');
  const readers = [await open('/avatars/events', 'guest'), await open(avatar.links.events, 'guest')];
  const wait = { ...callers.as('guest'), prefer: 'wait=60' };
  const waiting = fetch(`${app.url}${avatar.links.self}`, { headers: wait });
  const shop = await open('/avatars/events', 'shop');
  t.ok(await ends(...readers));
  t.equal((await waiting).status, 401);
  t.equal((await open('/avatars/events', 'guest')).status, 401);
  t.notOk(shop.isOver);
});

t.test('[E7] [F63] who is no admin any more hears of its own avatars alone', async (t) => {
  const { callers, create, open } = await start(t, { boss: { admin: true }, victim: {} });
  const [all, narrowed] = [
    await open('/avatars/events', 'boss'),
    await open('/avatars/events?caller=victim', 'boss'),
  ];
  await callers.replace({ boss: {}, victim: {} });
  t.ok(await ends(all, narrowed));
  t.equal((await open('/avatars/events?caller=victim', 'boss')).status, 403);
  const back = await open('/avatars/events', 'boss');
  await create('victim');
  const { id } = await create('boss');
  t.equal((await back.next())?.avatar.id, id);
});

t.test(
  '[E7] [F63] a key whose caller may do other things goes on, as does a key with a new one beside it',
  async (t) => {
    const { callers, create, open } = await start(t, { shop: {}, gone: {} });
    const [reader, gone] = [await open('/avatars/events', 'shop'), await open('/avatars/events', 'gone')];
    const key_sha256 = [sha256(keyOf('shop')), sha256('agk_another')];
    await callers.replace({ shop: { key_sha256, modes: ['std'], requests_per_minute: 1_000 } });
    t.ok(await ends(gone));
    const { id } = await create('shop');
    t.equal((await reader.next())?.avatar.id, id);

    await callers.replace({ shop: { key_sha256: key_sha256[1] } });
    t.ok(await ends(reader), 'until its own key goes');
  },
);
