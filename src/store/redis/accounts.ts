/**
 * What callers spent: a hash for each month of a caller. An entry of `accounts.ts` lies there as six numbers in decimal; the
 * units of a day under its number, and those of the month under `month`, are their sums, for caps.
 */

import { type Avatar, isFinal, STATUSES, type Status } from '../../domain/avatar.js';
import { EVERYONE, type Scope } from '../../domain/caller.js';
import { type DayOfUse, spendStateOf } from '../../domain/spend.js';
import { BEGINS, costsOf, entriesOf, inOrder, monthsOf, placeOf, rowsOf } from '../accounts.js';
import { callerDigest } from '../digests.js';
import type { Connection } from './connection.js';
import type { Everyone } from './everyone.js';
import type { Keys } from './keys.js';
import { MARKS } from './lists.js';

/** For scripts: each mark that counts, and where the numbers of its state begin in an entry, from 1. */
export const STATES = STATUSES.map((status) => {
  const begins = BEGINS[spendStateOf(status)];
  return begins === null ? '' : `${MARKS[status]}${begins + 1}`;
}).join('');

/** For scripts: the marks of those that are not final. */
export const UNFINISHED = STATUSES.filter((status) => !isFinal(status))
  .map((status: Status) => MARKS[status])
  .join('');

/** For scripts: where an avatar is counted, and what it adds there; '' where nothing is. */
export function spendArgument(avatar: Avatar): string {
  if (avatar.spend === null) return '';
  return `${placeOf(avatar).entry} ${costsOf(avatar.spend).join(' ')}`;
}

export class Accounts {
  readonly #redis: Connection;
  readonly #keys: Keys;
  readonly #everyone: Everyone;

  constructor(redis: Connection, keys: Keys, everyone: Everyone) {
    this.#redis = redis;
    this.#keys = keys;
    this.#everyone = everyone;
  }

  /** @throws StoreUnavailableError */
  async use(scope: Scope, from: string, to: string): Promise<DayOfUse[]> {
    const callers = scope === EVERYONE ? await this.#everyone.callers() : [scope];
    const rows: DayOfUse[] = [];
    for (const caller of callers) {
      const months = monthsOf(from, to).map((month) => this.#month(caller, month, from, to));
      rows.push(...(await Promise.all(months)).flat());
    }
    return inOrder(rows);
  }

  async #month(caller: string, month: string, from: string, to: string): Promise<DayOfUse[]> {
    const account = this.#keys.account(callerDigest(caller), month);
    const entries = entriesOf(month, from, to);
    const found = await this.#redis.use((client) => client.hmget(account, ...entries));
    const numbers = entries.map((entry, i) => [entry, (found[i] ?? '').split(' ').map(Number)] as const);
    return rowsOf(caller, month, numbers);
  }
}
