/** A cancel and a submit that meet: whichever is written first, the other comes to nothing. */

import { join } from 'node:path';
import t, { type Test } from 'tap';
import { cancel } from '../../src/gateway/cancel.js';
import { Limits } from '../../src/gateway/limits/limits.js';
import type { Ports } from '../../src/gateway/ports.js';
import { openRedisStore } from '../../src/store/redis/redis.js';
import { openSqliteStore } from '../../src/store/sqlite/sqlite.js';
import type { Store } from '../../src/store/store.js';
import { avatarOf, beginFirst, CALLER, dueIn, LONG, SUBMISSION } from '../store/fixtures.js';
import { redisUrl } from '../support/redis.js';
import { until } from '../support/until.js';
import { COUNTS, SETTINGS } from './world.js';

/** What a verb needs of a gateway on this store. */
function portsOn(store: Store): Ports {
  const silent = () => undefined;
  return {
    store,
    limits: new Limits(store, { callsPerMinute: 100, tasks: 3 }, () => 0, ['/submit']),
    settings: SETTINGS,
    log: { info: silent, warn: silent, error: silent },
    counts: COUNTS,
  } as Partial<Ports> as Ports;
}

/** The same store, with something done right after the first read of an avatar. */
function meeting(store: Store, then: () => Promise<unknown>): Store {
  let met = false;
  return new Proxy(store, {
    get(target, name) {
      const method: unknown = Reflect.get(target, name);
      if (typeof method !== 'function') return method;
      return async (...args: unknown[]) => {
        const result: unknown = await Reflect.apply(method, target, args);
        if (name === 'find' && !met) {
          met = true;
          await then();
        }
        return result;
      };
    },
  });
}

const STORES: Readonly<Record<string, (t: Test) => Promise<Store>>> = {
  embedded: (t) => openSqliteStore({ dir: join(t.testdir({}), 'tasks') }),
  redis: async (t) => {
    const { url, prefix } = await redisUrl(t);
    const waitFor = { replicas: 0, ownFile: false };
    const store = openRedisStore({ url, keyPrefix: prefix, waitFor, onEvent() {} });
    await until('it is connected', () =>
      store.ping().then(
        () => true,
        () => null,
      ),
    );
    return store;
  },
};

for (const [name, open] of Object.entries(STORES)) {
  t.test(name, async (t) => {
    const store = await open(t);
    t.teardown(() => store.close());
    const queued = async () => (await store.admit(avatarOf(), [SUBMISSION], dueIn(LONG))).avatar.id;

    await t.test('a submit is begun while the cancel is on its way', async (t) => {
      const id = await queued();
      const ours = meeting(store, () => beginFirst(store, 9));
      await t.rejects(cancel(portsOn(ours), CALLER, id), { slug: 'not-cancelable', message: /submitting/ });
      t.match(await store.find(CALLER, id), { avatar: { status: 'submitting' } });
    });

    await t.test('the cancel is written while a submit is about to begin', async (t) => {
      const id = await queued();
      t.match(await cancel(portsOn(store), CALLER, id), { status: 'canceled', step: 'expire' });
      t.same(await beginFirst(store, 9), [], 'nothing may be sent for it');
      t.match(await store.find(CALLER, id), { avatar: { status: 'canceled', attempt: 0 }, ahead: null });
      t.equal((await store.outlook([])).queued, 0, 'its place is free');
      t.equal(await store.submission(id), null, 'its media are gone');
    });

    await t.test('two cancels at once', async (t) => {
      const id = await queued();
      const ours = meeting(store, () => cancel(portsOn(store), CALLER, id));
      t.match(await cancel(portsOn(ours), CALLER, id), { status: 'canceled' });
      t.match(await cancel(portsOn(store), CALLER, id), { status: 'canceled' });
    });
  });
}
