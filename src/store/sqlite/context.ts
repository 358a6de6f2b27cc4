/** What the operations of a transaction work with, and what follows from a row wherever it is written. */

import { STATUSES } from '../../domain/avatar.js';
import { spendStateOf } from '../../domain/spend.js';
import type { Change } from '../store.js';
import { type Counted, countCost } from './accounts.js';
import { type Acknowledged, type Database, OpenError } from './database.js';
import {
  type AvatarRow,
  type DamagedAvatar,
  deleteAvatar,
  insertAvatar,
  readRows,
  type Table,
  updateAvatar,
  writeRow,
} from './rows.js';

interface State {
  readonly one: 1;
  readonly commits: number;
  readonly place: number;
  readonly clock: number;
}

interface CallerRow {
  readonly name: string;
  readonly served: number;
  readonly changed: number;
}

/** What was written, for whoever is told once it is on disk. */
export interface Written {
  readonly changes: readonly Change[];
  /** Files of submissions that are not needed any more. */
  readonly files: readonly string[];
  readonly quarantined: number;
}

const STATE: Table<State> = { name: 'state', keys: ['one'], columns: ['one', 'commits', 'place', 'clock'] };
export const CALLERS: Table<CallerRow> = {
  name: 'callers',
  keys: ['name'],
  columns: ['name', 'served', 'changed'],
};
/** How many damaged avatars are kept. */
const MAX_QUARANTINED = 1000;

export class Context {
  readonly db: Database;
  /** In ms since the epoch, at the call that runs. */
  now = 0;
  readonly #acknowledged: Acknowledged;
  /** Both are `null` where they are to be read anew, as after a transaction that was taken back. */
  #state: State | null = null;
  #queue: { readonly avatars: number; readonly bytes: number } | null = null;
  #written = { changes: [] as Change[], files: [] as string[], quarantined: 0 };
  #wrote = false;

  /** @throws OpenError where commits are missing, DamagedRowError */
  constructor(db: Database, acknowledged: Acknowledged) {
    this.db = db;
    this.#acknowledged = acknowledged;
    const lost = acknowledged.read() - this.state.commits;
    if (lost > 0)
      throw new OpenError('damaged', `the end of its log is damaged: ${lost} commits are missing`);
  }

  /** Runs work in a transaction: all of it is on disk when this returns, or nothing is. @returns what was written with it */
  transact(work: () => void): Written {
    this.db.exec('begin immediate');
    try {
      work();
      if (this.#wrote) {
        this.#state = { ...this.state, commits: this.state.commits + 1 };
        writeRow(this.db, STATE, this.#state);
      }
      this.db.exec('commit');
      if (this.#wrote) this.#acknowledged.write(this.state.commits);
      return this.#written;
    } catch (error) {
      this.#state = null;
      this.#queue = null;
      if (this.db.inTransaction) this.db.exec('rollback');
      makeRoom(this.db, error);
      throw error;
    } finally {
      this.#written = { changes: [], files: [], quarantined: 0 };
      this.#wrote = false;
    }
  }

  get state(): State {
    this.#state ??= readRows(this.db, STATE, 'one = 1', [])[0] ?? { one: 1, commits: 0, place: 0, clock: 0 };
    return this.#state;
  }

  /** How many avatars are queued, and the bytes that wait with them. */
  get queue() {
    if (this.#queue === null) {
      const text = `select count(*), coalesce(sum(bytes), 0) from avatars where status = 'queued'`;
      const [avatars, bytes] = this.db.sql(text).get([]) ?? [];
      this.#queue = { avatars: Number(avatars), bytes: Number(bytes) };
    }
    return this.#queue;
  }

  /** Notes that something is written, for what is no avatar. */
  writes(): void {
    this.#wrote = true;
  }

  /** Writes an avatar: `before` is `null` where it is new, `after` where it is removed. */
  put(before: AvatarRow | null, after: Omit<AvatarRow, 'seq'> | null): number {
    this.#wrote = true;
    const queue = this.queue;
    const sum = (row: Pick<AvatarRow, 'status' | 'bytes'> | null) =>
      row?.status === 'queued' ? row.bytes : 0;
    this.#queue = {
      avatars: queue.avatars + Number(after?.status === 'queued') - Number(before?.status === 'queued'),
      bytes: queue.bytes + sum(after) - sum(before),
    };
    // What was not sent costs nothing, whoever takes it back; the rest was spent.
    countCost(this.db, before, after ?? (before?.status === 'queued' ? null : before));
    if (before === null) return after === null ? 0 : insertAvatar(this.db, after);
    if (after === null) deleteAvatar(this.db, before.seq);
    else updateAvatar(this.db, before, { ...after, seq: before.seq });
    return before.seq;
  }

  caller(name: string): CallerRow {
    return readRows(this.db, CALLERS, 'name = ?', [name])[0] ?? { name, served: 0, changed: 0 };
  }

  /** The place of a change of an avatar of a caller. */
  place(name: string): number {
    const place = Math.max(this.state.place + 1, this.now * 1000);
    this.#state = { ...this.state, place };
    writeRow(this.db, CALLERS, { ...this.caller(name), changed: place });
    return place;
  }

  /** An avatar leaves the queue to be submitted: what time is counted by there. */
  serve({ caller: name, tag }: Pick<AvatarRow, 'caller' | 'tag'>): void {
    this.#state = { ...this.state, clock: Math.max(this.state.clock, tag) };
    const caller = this.caller(name);
    if (tag > caller.served) writeRow(this.db, CALLERS, { ...caller, served: tag });
  }

  /** To be told once all is on disk. */
  tell(change: Change): void {
    this.#written.changes.push(change);
  }

  dropSubmission(seq: number): void {
    const [file] = this.db.sql('select cast(file as blob) from submissions where seq = ?').get([seq]) ?? [];
    if (file != null) this.#written.files.push(String(file));
    this.db.sql('delete from submissions where seq = ?').run([seq]);
    this.#wrote = true;
  }

  /** Whole rows alone; those that are damaged are moved out of the way. */
  whole(rows: readonly (AvatarRow | DamagedAvatar)[]): AvatarRow[] {
    return rows.flatMap((row) => {
      if (!('damaged' in row)) return [row];
      this.quarantine(row);
      return [];
    });
  }

  /** Moves a damaged avatar out of the way, and gives back what it held as far as that can be read. */
  quarantine(row: DamagedAvatar): void {
    const { db, now } = this;
    this.dropSubmission(row.seq);
    deleteAvatar(db, row.seq);
    const known = guessed(row);
    if (known !== null && spendStateOf(known.status) === 'reserved') countCost(db, known, null);
    db.sql('insert or replace into quarantine values (?, ?, ?, ?, ?, ?, ?)').run([
      ...[row.seq, row.guess('id'), row.guess('caller'), row.guess('idempotency'), now, row.columns, row.doc],
    ]);
    const oldest = 'select seq from quarantine order by found desc, seq limit -1 offset ?';
    db.sql(`delete from quarantine where seq in (${oldest})`).run([MAX_QUARANTINED]);
    this.#queue = null;
    this.#written.quarantined += 1;
  }
}

/** Where the log cannot grow: what is in it goes to its place in the database, and it begins anew. */
function makeRoom(db: Database, error: unknown): void {
  if (!/full|disk i\/o/i.test(String(error))) return;
  try {
    db.sql('pragma wal_checkpoint(truncate)').get([]);
  } catch {
    // There is no room for that either.
  }
}

/** What a damaged avatar counts for, where it says so. */
function guessed(row: DamagedAvatar): Counted | null {
  const names = ['caller', 'created', 'mode', 'status', 'cost_ms', 'cost_units'] as const;
  const known = Object.fromEntries(names.map((name) => [name, row.guess(name)])) as unknown as Counted;
  const { created, status, cost_ms, cost_units } = known;
  const isKnown = STATUSES.includes(status) && [created, cost_ms, cost_units].every(Number.isSafeInteger);
  return isKnown ? known : null;
}
