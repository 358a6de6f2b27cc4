/** What one caller may hold of the places for streams and waits. */

import t, { type Test } from 'tap';
import { parseNetworks } from '../../src/outbound/addresses.js';
import { type AppOverrides, startApp } from '../support/app.js';
import { callersFile } from '../support/callers.js';
import { EventReader } from '../support/events.js';
import { createAvatar, postJson, URLS } from '../support/requests.js';
import { openAll } from '../support/streams.js';
import { until } from '../support/until.js';

async function startWith(t: Test, overrides: AppOverrides) {
  const listed = await callersFile(t, { greedy: {}, shop: {}, late: {} });
  const app = await startApp(t, { ...overrides, callers: { kind: 'file', file: listed.file } });
  return { app, as: listed.as };
}

t.test('[E10] [F62] who opens all the streams it can leaves others theirs', async (t) => {
  const { app, as } = await startWith(t, { maxWaiters: 8 });
  const greedy = await openAll(t, app.url, as('greedy'));
  t.equal(greedy.length, 4, 'half of what is free');
  const refused = await fetch(`${app.url}/avatars/events`, { headers: as('greedy') });
  t.match(await refused.json(), { type: 'urn:avatar-gateway:problem:overloaded' });
  t.match(refused.headers.get('retry-after'), /^\d+$/);

  const shop = await openAll(t, app.url, as('shop'));
  t.equal(shop.length, 2, 'half of what greedy leaves');
  const response = await postJson(app.url, URLS, { ...as('late'), prefer: 'wait=0' });
  t.equal(response.headers.get('preference-applied'), 'wait=0', 'a wait has a place as well');
  const waits = await postJson(app.url, URLS, { ...as('greedy'), prefer: 'wait=60' });
  t.equal(waits.headers.get('preference-applied'), null, 'waits and streams are one share');

  for (const reader of [...shop, greedy[0]]) reader?.drop();
  await until('it has a place again', async () => {
    const again = await EventReader.open(`${app.url}/avatars/events`, undefined, as('greedy'));
    t.teardown(() => again.drop());
    return again.status === 200 ? true : null;
  });
});

t.test('[E10] [F62] where no callers are known the share is an address', async (t) => {
  const app = await startApp(t, {
    maxWaiters: 4,
    callers: { kind: 'anyone' },
    trustedProxies: parseNetworks('127.0.0.1/32'),
  });
  const from = (address: string) => ({ 'x-forwarded-for': address });
  const greedy = await openAll(t, app.url, from('192.0.2.1'));
  t.equal(greedy.length, 2);
  const other = await EventReader.open(`${app.url}/avatars/events`, undefined, from('192.0.2.2'));
  t.equal(other.status, 200);
  const { id } = await createAvatar(app.url);
  t.equal((await other.next())?.avatar.id, id);
  other.drop();
});
