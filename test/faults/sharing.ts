/** What is scarce has a share for each caller, and what is open ends with the key it was opened with. */

import type { Test } from 'tap';
import type { AvatarView } from '../../src/http/schemas/avatar.js';
import { callersFile } from '../support/callers.js';
import { EventReader } from '../support/events.js';
import { reached } from '../support/replicas.js';
import { postJson, URLS } from '../support/requests.js';
import { ends, openAll } from '../support/streams.js';
import { until } from '../support/until.js';
import { served, upload } from '../support/uploads.js';
import type { StoreName } from './cases.js';
import { startWorld } from './world.js';

export async function sharedByAll(t: Test, store: StoreName): Promise<void> {
  const { file, as } = await callersFile(t, { greedy: {}, other: {} });
  const app = await startWorld(t, store, {
    callers: { kind: 'file', file },
    media: { maxBytes: 64_000_000 },
    maxWaiters: 8,
  });
  const key = as('greedy').authorization;
  const uploads = await Promise.all(
    Array.from({ length: 12 }, () => upload(t, app.url, key, 20_000_000, 4_000_000)),
  );
  const refusal = await Promise.race(uploads.map(({ first }) => first));
  t.match(refusal, /^HTTP\/1\.1 503 .*problem:overloaded/s, 'its memory is taken');
  await served(t, app.url, as('other'));

  t.equal((await openAll(t, app.url, as('greedy'))).length, 4, 'its streams are');
  const stream = await EventReader.open(`${app.url}/avatars/events`, undefined, as('other'));
  t.teardown(() => stream.drop());
  t.equal(stream.status, 200);
  for (const [name, applied] of [
    ['greedy', null],
    ['other', 'wait=0'],
  ] as const) {
    const { headers } = await postJson(app.url, URLS, { ...as(name), prefer: 'wait=0' });
    t.equal(headers.get('preference-applied'), applied, `a place to wait: ${name}`);
  }
}

export async function endsWithItsKey(t: Test, store: StoreName): Promise<void> {
  const { file, as, replace } = await callersFile(t, { boss: { admin: true }, shop: {}, victim: {} });
  const app = await startWorld(t, store, { callers: { kind: 'file', file } });
  const create = async (name: string) =>
    (await (await postJson(app.url, URLS, as(name))).json()) as AvatarView;
  const open = async (path: string, name: string) => {
    const reader = await EventReader.open(app.url + path, undefined, as(name));
    t.teardown(() => reader.drop());
    return reader;
  };
  const { links } = await create('shop');
  const over = [
    await open('/avatars/events', 'boss'),
    await open('/avatars/events', 'shop'),
    await open(links.events, 'shop'),
  ];
  const goesOn = await open('/avatars/events', 'victim');
  const waiting = fetch(app.url + links.self, { headers: { ...as('shop'), prefer: 'wait=60' } });
  await reached(app, links.self);
  await replace({ boss: {}, victim: {} });
  t.ok(await ends(...over), 'one was removed, one is no admin any more');
  t.equal((await waiting).status, 401);
  const back = await open('/avatars/events', 'boss');
  const { id } = await create('victim');
  t.equal((await goesOn.next())?.avatar.id, id);
  const own = await create('boss');
  t.equal((await back.next())?.avatar.id, own.id, 'and hears of its own alone');
  await until('the key that was removed', async () =>
    (await open('/avatars/events', 'shop')).status === 401 ? true : null,
  );
}
