/** What callers spent, in a document for each month of a caller. */

import type { Avatar } from '../../domain/avatar.js';
import { EVERYONE, type Scope } from '../../domain/caller.js';
import { type DayOfUse, dayOf, type SpendState, type Spent } from '../../domain/spend.js';
import { inOrder, monthOf, moved, placeOf, rowsOf, unitsIn } from '../accounts.js';
import { callerDigest } from '../digests.js';
import { USE_MS } from '../store.js';
import type { Transaction } from './commit.js';
import type { Engine } from './engine.js';
import { accountKey, accountsOf, decodeAccount, encodeAccount, parseAccountKey } from './keys.js';

/** What the caller of an avatar spent on the day and in the month of it. */
export function spentBeside(tx: Transaction, avatar: Avatar): Spent {
  const { month, day } = placeOf(avatar);
  const account = decodeAccount(tx.get(accountKey(month, callerDigest(avatar.caller))));
  const spent = { day: 0, month: 0 };
  for (const [entry, sums] of Object.entries(account?.entries ?? {})) {
    const units = unitsIn(sums);
    spent.month += units;
    if (entry.startsWith(`${day} `)) spent.day += units;
  }
  return spent;
}

/** Counts an avatar as what became of its money; one that is new was nothing before, as if it was released. */
export function count(tx: Transaction, avatar: Avatar, before: SpendState, after: SpendState): void {
  const { caller, spend } = avatar;
  if (spend === null || before === after) return;
  const { month, entry } = placeOf(avatar);
  const key = accountKey(month, callerDigest(caller));
  const entries = decodeAccount(tx.get(key))?.entries ?? {};
  // What was counted so long ago that it is forgotten is not taken back either.
  if (before !== 'released' && entries[entry] === undefined) return;
  const next = { ...entries, [entry]: moved(entries[entry], spend, before, after) };
  tx.put(key, encodeAccount({ caller, entries: next }));
}

/** @throws StoreUnavailableError */
export async function use(engine: Engine, scope: Scope, from: string, to: string): Promise<DayOfUse[]> {
  await engine.ready();
  const owner = scope === EVERYONE ? null : callerDigest(scope);
  const keys = (await engine.disk.keys(accountsOf(monthOf(from), monthOf(to)))).filter(
    (key) => owner === null || parseAccountKey(key).caller === owner,
  );
  const rows = await engine.transact((tx) =>
    keys.flatMap((key) => {
      const account = decodeAccount(tx.get(key));
      return account === null
        ? []
        : rowsOf(account.caller, parseAccountKey(key).month, Object.entries(account.entries));
    }),
  );
  return inOrder(rows.filter(({ date }) => from <= date && date <= to));
}

/** Removes accounts of months that need not be known any more. What cannot be removed now can be the next time. */
export async function forgetAccounts(engine: Engine): Promise<void> {
  const oldest = monthOf(dayOf(engine.now() - USE_MS));
  try {
    const old = await engine.disk.keys({ ...accountsOf('', oldest), lt: accountKey(oldest, '') });
    if (old.length === 0) return;
    await engine.transact((tx) => {
      for (const key of old) tx.del(key);
    });
  } catch {
    // As above.
  }
}
