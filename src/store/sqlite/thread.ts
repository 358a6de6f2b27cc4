/**
 * The thread of the store. It runs all calls that have arrived in one transaction, so that many cost one flush of the disk, and
 * answers once that is on disk. Where one of them fails, each is run again in a transaction of its own.
 */

import { parentPort, workerData } from 'node:worker_threads';
import { ACCOUNTS, forgetAccounts } from './accounts.js';
import { CALLERS, Context, type Written } from './context.js';
import { Acknowledged, lock, OpenError, open } from './database.js';
import { forgetCalls, KEYS } from './keys.js';
import { DOCUMENTS, type Operations, operations } from './operations.js';
import { readAvatars, readRows, type Table } from './rows.js';
import { filesOf } from './submissions.js';

export interface ThreadData {
  readonly dir: string;
  readonly now: number;
}

/** `now`: the clock at the call, in ms since the epoch. */
export interface Call {
  readonly n: number;
  readonly now: number;
  readonly name: keyof Operations;
  readonly args: readonly unknown[];
}

export interface Failure {
  readonly message: string;
  readonly code: string | undefined;
  readonly stack: string | undefined;
}

export type Reply = { readonly n: number } & ({ readonly value: unknown } | { readonly error: Failure });

/** The first that the thread says: that the database is open, or why not. */
export type Opening =
  | { readonly opened: true; readonly files: readonly string[]; readonly quarantined: number }
  | { readonly opened: false; readonly reason: OpenError['reason']; readonly error: Failure };

/** What came of calls, and what was written with them. */
export interface Outcome extends Written {
  readonly replies: readonly Reply[];
}

/** A key that was not used for so long has no calls to remember. */
const KEY_MS = 86_400_000;

const port = parentPort;
if (port === null) throw new Error('this is a thread');
const post = (message: Opening | Outcome): void => port.postMessage(message);
const failureOf = (error: unknown): Failure => {
  const { message, code, stack } = error as Error & { code?: string };
  return { message, code, stack };
};

/** Opens the database, and serves calls until it is told to close. */
function main({ dir, now }: ThreadData): void {
  const held = lock(dir);
  const db = open(dir);
  const acknowledged = new Acknowledged(dir);
  const cx = new Context(db, acknowledged);
  cx.now = now;
  const { quarantined } = cx.transact(() => {
    for (const table of [CALLERS, KEYS, DOCUMENTS, ACCOUNTS] as Table<unknown>[])
      readRows(db, table, 'true', []);
    cx.whole(readAvatars(db, `status in ('queued', 'submitting', 'pending', 'processing')`, []));
    forgetAccounts(db, now);
    forgetCalls(db, now - KEY_MS);
  });
  let waiting: Call[] = [];
  const work = () => {
    const calls = waiting;
    waiting = [];
    post(run(cx, calls));
  };
  port?.on('message', (message: readonly Call[] | 'close') => {
    if (message === 'close') {
      if (waiting.length > 0) work();
      db.close();
      acknowledged.close();
      held.close();
      port.close();
      return;
    }
    if (waiting.length === 0) setImmediate(() => waiting.length > 0 && work());
    waiting.push(...message);
  });
  post({ opened: true, files: filesOf(db), quarantined });
}

function run(cx: Context, calls: readonly Call[]): Outcome {
  const parts = runTogether(cx, calls) ?? calls.map((call) => runAlone(cx, call));
  return {
    replies: parts.flatMap(({ replies }) => replies),
    changes: parts.flatMap(({ written }) => written?.changes ?? []),
    files: parts.flatMap(({ written }) => written?.files ?? []),
    quarantined: parts.reduce((sum, { written }) => sum + (written?.quarantined ?? 0), 0),
  };
}

interface Part {
  readonly replies: readonly Reply[];
  readonly written: Written | null;
}

function runTogether(cx: Context, calls: readonly Call[]): Part[] | null {
  const replies: Reply[] = [];
  try {
    const written = cx.transact(() => {
      for (const call of calls) replies.push({ n: call.n, value: runCall(cx, call) });
    });
    return [{ replies, written }];
  } catch {
    return null;
  }
}

function runAlone(cx: Context, call: Call): Part {
  try {
    let value: unknown;
    const written = cx.transact(() => {
      value = runCall(cx, call);
    });
    return { replies: [{ n: call.n, value }], written };
  } catch (error) {
    return { replies: [{ n: call.n, error: failureOf(error) }], written: null };
  }
}

function runCall(cx: Context, { name, now, args }: Call): unknown {
  cx.now = now;
  const operation = operations[name] as (cx: Context, ...args: readonly unknown[]) => unknown;
  return operation(cx, ...args);
}

try {
  main(workerData as ThreadData);
} catch (error) {
  post({
    opened: false,
    reason: error instanceof OpenError ? error.reason : 'unusable',
    error: failureOf(error),
  });
}
