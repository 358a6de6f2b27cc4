import { callerDigest } from '../digests.js';
import type { Connection } from './connection.js';
import type { Keys } from './keys.js';
import type { ScriptArgument, ScriptName } from './scripts.js';

/** Whose keys a script was run over, in their order, and what it said. */
export interface OverAll {
  readonly callers: readonly string[];
  readonly row: readonly unknown[];
}

/**
 * Scripts over the keys of all callers. Which these are is said by the script itself, where it was not given all of them: a
 * Cluster wants to be told every key beforehand. Who joins in between is asked for the next time.
 */
export class Everyone {
  readonly #redis: Connection;
  readonly #keys: Keys;

  constructor(redis: Connection, keys: Keys) {
    this.#redis = redis;
    this.#keys = keys;
  }

  /** In the order of their names. @throws StoreUnavailableError */
  async callers(): Promise<string[]> {
    return (await this.#redis.use((client) => client.zrange(this.#keys.everyone, '0', '-1'))).sort();
  }

  /** @param keyOf the key of a caller, by its digest. @throws StoreUnavailableError */
  async run(
    script: ScriptName,
    keyOf: (caller: string) => string,
    ...args: ScriptArgument[]
  ): Promise<OverAll> {
    const callers = new Set<string>();
    for (;;) {
      const keys = [this.#keys.everyone, ...[...callers].map((caller) => keyOf(callerDigest(caller)))];
      const row = (await this.#redis.run(script, keys, ...args, ...callers)) as unknown[];
      const [wanted] = row;
      if (!Array.isArray(wanted)) return { callers: [...callers], row };
      for (const caller of wanted) callers.add(String(caller));
    }
  }
}
