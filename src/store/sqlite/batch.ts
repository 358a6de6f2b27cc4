/**
 * All calls that have arrived are run in one transaction, so that many cost one flush of the disk. Where one of them fails, or they
 * cannot be written together, each is run again in a transaction of its own.
 */

import { use } from './accounts.js';
import type { Context, Written } from './context.js';
import { callers, feed, find, keyIds, list, outlook, submission } from './reads.js';
import { asDamaged, readAvatar } from './rows.js';
import { claim, due, remove, save, takeCall } from './saves.js';
import { admit, begin, check } from './submits.js';

/** `now`: the clock at the call, in ms since the epoch. */
export interface Call {
  readonly now: number;
  readonly name: keyof Operations;
  readonly args: readonly unknown[];
}

export type Reply = { readonly value: unknown } | { readonly error: Error };

/** What came of calls, in their order, and what was written with them. */
export interface Outcome extends Written {
  readonly replies: readonly Reply[];
}

/** Runs calls, each as if it were alone, in their order. */
export function runCalls(cx: Context, calls: readonly Call[], areAlone = false): Outcome {
  const replies: Reply[] = [];
  try {
    const written = cx.transact(() => {
      for (const call of calls) replies.push({ value: runCall(cx, call) });
    });
    return { replies, ...written };
  } catch (error) {
    if (areAlone) {
      const failed = calls.map(() => ({ error: plain(error) }));
      return { replies: failed, changes: [], files: [], quarantined: 0 };
    }
    const outcomes = calls.map((call) => runCalls(cx, [call], true));
    return {
      replies: outcomes.flatMap(({ replies }) => replies),
      changes: outcomes.flatMap(({ changes }) => changes),
      files: outcomes.flatMap(({ files }) => files),
      quarantined: outcomes.reduce((sum, { quarantined }) => sum + quarantined, 0),
    };
  }
}

function runCall(cx: Context, { name, now, args }: Call): unknown {
  cx.now = now;
  const operation = operations[name] as (cx: Context, ...args: readonly unknown[]) => unknown;
  return operation(cx, ...args);
}

/** One that a message can carry: the driver's own are no errors to it. */
export function plain(error: unknown): Error {
  const { message, stack } = error as Error;
  return Object.assign(new Error(message), { stack });
}

function document({ tables, now }: Context, name: string) {
  const found = tables.documents.get(name);
  return { value: found?.value ?? null, revision: found?.revision ?? 0, now };
}

function swap(cx: Context, name: string, revision: number, value: string) {
  const found = document(cx, name);
  if (found.revision !== revision) return { ...found, swapped: false };
  cx.tables.documents.put({ name, revision: revision + 1, value });
  return { value, revision: revision + 1, now: cx.now, swapped: true };
}

/** Moves an avatar out of the way whose document is none, though it is as it was written. */
function quarantine(cx: Context, id: string): void {
  const found = readAvatar(cx.db, 'id = ?', [id]);
  if (found !== null) cx.quarantine('damaged' in found ? found : asDamaged(found));
}

/** What the thread can be asked: each is one synchronous function, and all that is written in it is one change. */
const operations = {
  ...{ admit, begin, check, claim, due, takeCall, save, remove, quarantine },
  ...{ find, list, feed, callers, submission, outlook, keyIds, document, swap },
  use: ({ tables }: Context, caller: string | null, from: string, to: string) =>
    use(tables.accounts, caller, from, to),
  ping: (cx: Context) => cx.writes(),
};

export type Operations = typeof operations;
