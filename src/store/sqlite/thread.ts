/** The thread of the store: opens the database, runs what it is asked, and answers once that is on disk. */

import { parentPort, workerData } from 'node:worker_threads';
import { forgetAccounts } from './accounts.js';
import { type Call, type Outcome, plain, runCalls } from './batch.js';
import { forgetCalls } from './calls.js';
import { Context } from './context.js';
import { Acknowledged, lock, OpenError, open } from './database.js';
import { readAvatars } from './rows.js';
import { filesOf } from './submissions.js';
import { DamagedRowError } from './tables.js';

export interface ThreadData {
  readonly dir: string;
  readonly now: number;
}

/** The first that the thread says: that the database is open, or why not. */
export type Opening =
  | { readonly opened: true; readonly files: readonly string[]; readonly quarantined: number }
  | { readonly opened: false; readonly reason: OpenError['reason']; readonly error: Error };

/** A key that was not used for so long has no calls to remember. */
const KEY_MS = 86_400_000;

const port = parentPort;
if (port === null) throw new Error('this is a thread');
const post = (message: Opening | Outcome): void => port.postMessage(message);
/** Opens the database, and serves calls until it is told to close. */
function main({ dir, now }: ThreadData): void {
  const held = lock(dir);
  const db = open(dir);
  const acknowledged = new Acknowledged(dir);
  const cx = new Context(db, acknowledged);
  cx.now = now;
  const { quarantined } = cx.transact(() => {
    for (const table of Object.values(cx.tables)) table.select('true');
    cx.whole(readAvatars(db, `status in ('queued', 'submitting', 'pending', 'processing')`, []));
    forgetAccounts(db, now);
    forgetCalls(cx, now - KEY_MS);
  });
  let waiting: Call[] = [];
  const work = () => {
    const calls = waiting;
    waiting = [];
    post(runCalls(cx, calls));
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

try {
  main(workerData as ThreadData);
} catch (error) {
  post({
    opened: false,
    reason:
      error instanceof OpenError ? error.reason : error instanceof DamagedRowError ? 'damaged' : 'unusable',
    error: plain(error),
  });
}
