/** The embedded store in a folder of its own, at a time that stands still until it is put forward. */

import type { Test } from 'tap';
import { openSqliteStore } from '../../src/store/sqlite/sqlite.js';
import type { Store } from '../../src/store/store.js';

/** The store's clock at first; this machine's says something else. */
export const NOW = 2_000_000_000_000;

export interface Clocked {
  readonly store: Store;
  /** Lets so many ms pass, for the store and for this process. */
  pass(ms: number): void;
}

export async function clockedStore(t: Test): Promise<Clocked> {
  // Whole: half a second is to be half a second, and no rounding error less.
  const begun = Math.round(performance.now());
  let passedMs = 0;
  t.intercept(performance, 'now', { value: () => begun + passedMs, configurable: true });
  const store = await openSqliteStore({ dir: t.testdir(), now: () => NOW + passedMs });
  t.teardown(() => store.close());
  return {
    store,
    pass(ms) {
      passedMs += ms;
    },
  };
}

/** A store of which the replies to some calls are lost, though the calls had their effect, or not. */
export function losing(store: Store, isLost: () => 'before' | 'after' | null): Store {
  return new Proxy(store, {
    get(target, name) {
      const method: unknown = Reflect.get(target, name);
      if (typeof method !== 'function') return method;
      return async (...args: unknown[]) => {
        const lost = name === 'swap' ? isLost() : null;
        if (lost === 'before') throw new Error('lost before');
        const result: unknown = await Reflect.apply(method, target, args);
        if (lost === 'after') throw new Error('lost after');
        return result;
      };
    },
  });
}

/** A store that a call reaches after `ways.thereMs`, and whose reply is heard `ways.backMs` later. */
export function far({ store, pass }: Clocked, ways: { thereMs: number; backMs: number }): Store {
  return new Proxy(store, {
    get(target, name) {
      const method: unknown = Reflect.get(target, name);
      if (typeof method !== 'function') return method;
      return async (...args: unknown[]) => {
        pass(ways.thereMs);
        const result: unknown = await Reflect.apply(method, target, args);
        pass(ways.backMs);
        return result;
      };
    },
  });
}
