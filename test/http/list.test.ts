import t, { type Test } from 'tap';
import type { AvatarView } from '../../src/http/schemas/avatar.js';
import type { AvatarList } from '../../src/http/schemas/list.js';
import type { StoreName } from '../faults/cases.js';
import { startWorld } from '../faults/world.js';
import { createAvatar, URLS } from '../support/requests.js';
import { until } from '../support/until.js';

interface Listed {
  readonly body: AvatarList;
  readonly ids: readonly string[];
  /** The path of the next page, where there is one. */
  readonly next: string | null;
}

async function listed(t: Test, url: string, path: string): Promise<Listed> {
  const response = await fetch(url + path);
  t.equal(response.status, 200, path);
  t.equal(response.headers.get('cache-control'), 'no-store');
  const body = (await response.json()) as AvatarList;
  const link = response.headers.get('link');
  t.equal(body.has_more, body.next_cursor !== null);
  t.equal(link !== null, body.has_more, 'there is a link where there is more');
  const [, next = null] = /^<(.*)>; rel="next"$/.exec(link ?? '') ?? [];
  return { body, ids: body.data.map(({ id }) => id), next };
}

/** All pages from one on. */
async function pages(t: Test, url: string, from: string): Promise<(readonly string[])[]> {
  const all: (readonly string[])[] = [];
  for (let path: string | null = from; path !== null; ) {
    const { ids, next } = await listed(t, url, path);
    all.push(ids);
    path = next;
  }
  return all;
}

for (const store of ['embedded', 'redis'] as const satisfies readonly StoreName[]) {
  t.test(`on ${store}`, async (t) => {
    const { url, simulator } = await startWorld(t, store, { limits: { tasks: 4 } });
    t.match((await listed(t, url, '/avatars')).body, { data: [], next_cursor: null, has_more: false });
    const made: AvatarView[] = [];
    for (let at = 0; at < 7; at++) {
      made.push(await createAvatar(url, { ...URLS, external_id: at % 2 === 0 ? 'even & ü' : 'odd' }));
    }
    const newest = made.map(({ id }) => id).reverse();

    await t.test('the newest first, each as it is read', async (t) => {
      const { body, ids } = await listed(t, url, '/avatars');
      t.strictSame(ids, newest);
      for (const each of body.data) {
        t.strictSame(await (await fetch(`${url}/avatars/${each.id}`)).json(), each);
      }
    });

    await t.test('page by page', async (t) => {
      t.strictSame(await pages(t, url, '/avatars?limit=3'), [
        newest.slice(0, 3),
        newest.slice(3, 6),
        newest.slice(6),
      ]);
      t.strictSame(await pages(t, url, '/avatars?limit=7'), [newest], 'a last page that is full ends it');
      t.strictSame((await pages(t, url, '/avatars?limit=1')).flat(), newest);
    });

    await t.test('filters, which the link keeps', async (t) => {
      const even = made.filter((_, at) => at % 2 === 0).map(({ id }) => id);
      const path = `/avatars?limit=1&external_id=${encodeURIComponent('even & ü')}`;
      t.strictSame((await pages(t, url, path)).flat(), even.reverse());
      t.strictSame((await listed(t, url, '/avatars?external_id=even')).ids, [], 'the whole name counts');

      const { task_id, id } = made[0] ?? {};
      simulator.settle(task_id ?? '', { end: 'failed' });
      await until('it failed', async () => {
        const { ids } = await listed(t, url, '/avatars?status=failed');
        return ids.length > 0 || null;
      });
      t.strictSame((await listed(t, url, '/avatars?status=failed')).ids, [id]);
      t.strictSame((await listed(t, url, '/avatars?status=succeeded,canceled')).ids, []);
      const several = 'queued,submitting,pending,processing,failed';
      t.strictSame((await pages(t, url, `/avatars?status=${several}&limit=2`)).flat(), newest);

      const { created_at = '' } = made[3] ?? {};
      const after = made.filter((each) => each.created_at > created_at).map((each) => each.id);
      const before = made.filter((each) => each.created_at < created_at).map((each) => each.id);
      t.strictSame(
        (await pages(t, url, `/avatars?created_after=${created_at}&limit=1`)).flat(),
        after.reverse(),
      );
      t.strictSame((await listed(t, url, `/avatars?created_before=${created_at}`)).ids, before.reverse());
      const offset = encodeURIComponent(created_at.toLowerCase().replace('z', '+00:00'));
      t.strictSame((await listed(t, url, `/avatars?created_before=${offset}`)).ids, before);
    });

    await t.test('a cursor belongs to its list', async (t) => {
      const { body } = await listed(t, url, '/avatars?limit=2&status=pending,queued,processing');
      const cursor = body.next_cursor ?? '';
      t.match(cursor, /^[\w-]+$/);
      const same = `/avatars?limit=3&status=processing,queued,pending,queued&cursor=${cursor}`;
      t.equal((await fetch(url + same)).status, 200, 'the same filters in other words, and another limit');
      const bytes = Buffer.from(cursor, 'base64url');
      const tampered = [...bytes.keys()].map((at) => {
        const copy = Buffer.from(bytes);
        copy[at] = (copy[at] ?? 0) ^ 1;
        return copy.toString('base64url');
      });
      const others = [...tampered, `${cursor}=`, `${cursor}A`, cursor.slice(0, -1), ` ${cursor}`];
      const paths = [
        ...others.map(
          (each) => `/avatars?status=pending,queued,processing&cursor=${encodeURIComponent(each)}`,
        ),
        `/avatars?cursor=${cursor}`,
        `/avatars?status=pending,queued&cursor=${cursor}`,
        `/avatars?status=pending,queued,processing&external_id=a&cursor=${cursor}`,
        `/avatars?status=pending,queued,processing&created_before=2030-01-01T00:00:00Z&cursor=${cursor}`,
      ];
      for (const path of paths) {
        const response = await fetch(url + path);
        t.equal(response.status, 400, path);
        t.match(await response.json(), { type: /:invalid-cursor$/, instance: '/avatars' });
      }
    });

    await t.test('what is made and forgotten meanwhile moves nothing', async (t) => {
      const first = await listed(t, url, '/avatars?limit=3');
      const { id } = await createAvatar(url);
      t.equal((await fetch(`${url}/avatars/${made[0]?.id}`, { method: 'DELETE' })).status, 204);
      t.strictSame((await pages(t, url, first.next ?? '')).flat(), newest.slice(3, 6));
      t.strictSame((await listed(t, url, '/avatars?limit=2')).ids, [id, newest[0]]);
    });
  });
}
