/**
 * What callers spent: a hash for each month of a caller. An entry of `account-entries.ts` lies there as eight numbers in decimal; the
 * units of a day under its number, and those of the month under `month`, are their sums, for caps.
 */

import { EVERYONE, type Scope } from '../../domain/caller.js';
import type { DayOfUse } from '../../domain/spend.js';
import { entriesOf, inOrder, monthsOf, rowsOf } from './account-entries.js';
import type { Connection } from './connection/connection.js';
import { word } from './marks.js';

/** Accounts that are asked for at once. */
const AT_ONCE = 500;

export class Accounts {
  readonly #redis: Connection;

  constructor(redis: Connection) {
    this.#redis = redis;
  }

  /** In the order of their names. @throws StoreUnavailableError */
  async callers(): Promise<string[]> {
    const words = await this.#redis.use((client) => client.smembers(this.#redis.key('callers')));
    return words.map(decodeURIComponent).sort();
  }

  /** @throws StoreUnavailableError */
  async use(scope: Scope, from: string, to: string): Promise<DayOfUse[]> {
    const callers = scope === EVERYONE ? await this.callers() : [scope];
    const accounts = callers.flatMap((caller) => monthsOf(from, to).map((month) => ({ caller, month })));
    const rows: DayOfUse[] = [];
    for (let i = 0; i < accounts.length; i += AT_ONCE) {
      const some = accounts.slice(i, i + AT_ONCE);
      rows.push(...(await Promise.all(some.map((each) => this.#month(each, from, to)))).flat());
    }
    return inOrder(rows);
  }

  async #month(
    { caller, month }: { caller: string; month: string },
    from: string,
    to: string,
  ): Promise<DayOfUse[]> {
    const account = this.#redis.key('spend', month, word(caller));
    const entries = entriesOf(month, from, to);
    const found = await this.#redis.use((client) => client.hmget(account, ...entries));
    const numbers = entries.map((entry, i) => [entry, (found[i] ?? '').split(' ').map(Number)] as const);
    return rowsOf(caller, month, numbers);
  }
}
