/** `ETag` and `If-None-Match` on an avatar. */

import t from 'tap';
import { isNamed } from '../../src/http/avatar/etag.js';
import { startReplicas } from '../support/replicas.js';
import { createAvatar } from '../support/requests.js';
import { until } from '../support/until.js';

const NAMED: Readonly<Record<string, boolean>> = {
  '*': true,
  ' * ': true,
  'W/"a"': true,
  '"a"': true,
  '"b", W/"a"': true,
  '"b",W/"a" ,"c"': true,
  ' W/"a"': true,
  '"b, W/", "a"': true,
  '': false,
  a: false,
  'W/"b"': false,
  'w/"a"': false,
  'W/ "a"': false,
  '"b" W/"a"': false,
  '"aa"': false,
  '"a': false,
};

for (const [header, expected] of Object.entries(NAMED)) {
  t.test(`If-None-Match: ${header}`, async (t) => t.equal(isNamed(header, 'W/"a"'), expected));
}

t.test('redis: an avatar that did not change is not sent again', async (t) => {
  const { one, other } = await startReplicas(t, 'redis');
  const { links, task_id } = await createAvatar(one.url);
  const read = (url: string, headers: Record<string, string> = {}) =>
    fetch(`${url}${links.self}`, { headers });
  const first = await read(one.url);
  const etag = first.headers.get('etag') ?? '';
  t.match(etag, /^W\/"[\w-]{22}"$/);
  t.equal(first.headers.get('cache-control'), 'private, no-cache');
  t.equal(first.headers.get('vary'), 'Prefer');
  t.equal(
    (await read(other.url)).headers.get('etag'),
    etag,
    'the same on each replica, and after further looks',
  );

  for (const known of [etag, etag.slice(2), '*', `"x", ${etag}`]) {
    const response = await read(other.url, { 'if-none-match': known });
    t.equal(response.status, 304, known);
    t.equal(await response.text(), '');
    t.equal(response.headers.get('etag'), etag);
    t.equal(response.headers.get('cache-control'), 'private, no-cache');
    t.equal(response.headers.get('vary'), 'Prefer');
  }
  one.simulator.settle(String(task_id), { end: 'success' });
  const changed = await read(other.url, { 'if-none-match': etag, prefer: 'wait=60' });
  t.equal(changed.status, 200);
  t.not(changed.headers.get('etag'), etag);
});

t.test('the place in the queue is no change', async (t) => {
  const { one } = await startReplicas(t, 'embedded', { limits: { tasks: 1 } });
  const first = await createAvatar(one.url);
  const queued = [await createAvatar(one.url), await createAvatar(one.url)];
  const last = queued[1];
  const read = () => fetch(`${one.url}${last?.links.self}`);
  const before = await read();
  t.match(await before.json(), { status: 'queued', queue: { position: 2 } });
  one.simulator.settle(String(first.task_id), { end: 'success' });
  const after = await until('it moved up', async () => {
    const response = await read();
    const { queue } = (await response.clone().json()) as { queue: { position: number } | null };
    return queue?.position === 1 ? response : null;
  });
  t.equal(after.headers.get('etag'), before.headers.get('etag'));
});
