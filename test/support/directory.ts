/** Callers made by hand. */

import { ANONYMOUS, type Caller, type CallerDirectory, type Identified } from '../../src/domain/caller.js';

export function callerNamed(name: string, change: Partial<Caller> = {}): Caller {
  return { ...ANONYMOUS, name, ...change };
}

/** @param expired keys that were good once */
export function directoryOf(
  callers: Readonly<Record<string, Caller>>,
  expired: readonly string[] = [],
): CallerDirectory {
  return {
    identify(key): Identified {
      const caller = Object.hasOwn(callers, key) ? callers[key] : undefined;
      if (caller !== undefined) return { kind: 'known', caller };
      return expired.includes(key) ? { kind: 'expired', name: 'former' } : { kind: 'unknown' };
    },
    isCurrent: (caller) => Object.values(callers).includes(caller),
    find: (name) => Object.values(callers).find((caller) => caller.name === name) ?? null,
  };
}

export const bearer = (key: string) => ({ authorization: `Bearer ${key}` });
