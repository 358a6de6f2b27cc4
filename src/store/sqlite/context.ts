/** What the operations of a transaction work with, and what follows from a row wherever it is written. */

import { STATUSES } from '../../domain/avatar.js';
import { isReserved } from '../../domain/spend.js';
import type { Change } from '../store.js';
import { type Counted, countCost } from './accounts.js';
import { Counts } from './counts.js';
import { type Acknowledged, type Database, OpenError, type Value } from './database.js';
import {
  type AvatarRow,
  type DamagedAvatar,
  deleteAvatar,
  insertAvatar,
  readAvatar,
  updateAvatar,
} from './rows.js';
import { type CallerRow, type StateRow, tablesOf } from './tables.js';

/** What was written, for whoever is told once it is on disk. */
export interface Written {
  readonly changes: readonly Change[];
  /** Files of submissions that are not needed any more. */
  readonly files: readonly string[];
  readonly quarantined: number;
}

/** How many damaged avatars are kept. */
const MAX_QUARANTINED = 1000;
/** Of how many submits the row is kept in memory until their outcome is saved. */
const MAX_BEGUN = 1000;

export class Context {
  readonly db: Database;
  readonly tables: ReturnType<typeof tablesOf>;
  /** In ms since the epoch, at the call that runs. */
  now = 0;
  readonly #acknowledged: Acknowledged;
  /** `null` where all is to be counted anew. */
  #counts: Counts | null = null;
  readonly #begun = new Map<string, AvatarRow>();
  #written = { changes: [] as Change[], files: [] as string[], quarantined: 0 };
  #wrote = false;

  /** @throws OpenError where commits are missing, DamagedRowError */
  constructor(db: Database, acknowledged: Acknowledged) {
    this.db = db;
    this.tables = tablesOf(db);
    this.#acknowledged = acknowledged;
    const lost = acknowledged.read() - this.state.commits;
    if (lost > 0)
      throw new OpenError('damaged', `the end of its log is damaged: ${lost} commits are missing`);
  }

  /** Runs work in a transaction: all of it is on disk when this returns, or nothing is. @returns what was written with it */
  transact(work: () => void): Written {
    const { db, tables } = this;
    db.exec('begin immediate');
    try {
      work();
      const small = Object.values(tables);
      const wrote = this.#wrote || small.some((table) => table.hasChanged);
      if (wrote) tables.state.put(Object.assign(this.state, { commits: this.state.commits + 1 }));
      for (const table of small) table.write();
      db.exec('commit');
      if (wrote) this.#acknowledged.write(this.state.commits);
      return this.#written;
    } catch (error) {
      for (const table of Object.values(tables)) table.forget();
      this.#counts = null;
      this.#begun.clear();
      if (db.inTransaction) db.exec('rollback');
      makeRoom(db, error);
      throw error;
    } finally {
      this.#written = { changes: [], files: [], quarantined: 0 };
      this.#wrote = false;
    }
  }

  get state(): StateRow {
    return this.tables.state.get(1) ?? { one: 1, commits: 0, place: 0, clock: 0 };
  }

  get counts(): Counts {
    this.#counts ??= new Counts(this.db);
    return this.#counts;
  }

  /** Notes that something is written, for what is no avatar. */
  writes(): void {
    this.#wrote = true;
  }

  /** Writes an avatar: `before` is `null` where it is new, `after` where it is removed. */
  put(before: AvatarRow | null, after: AvatarRow | null, submission: Uint8Array | null = null): void {
    this.#wrote = true;
    this.counts.move(before, after);
    // What was not sent costs nothing, whoever takes it back; the rest was spent.
    const isSpent = before !== null && before.status !== 'queued' && before.status !== 'submitting';
    countCost(this.tables.accounts, before, after ?? (isSpent ? before : null));
    if (before?.file != null && after?.file == null) this.#written.files.push(before.file);
    if (before !== null) this.#begun.delete(before.id);
    if (after === null) {
      if (before !== null) deleteAvatar(this.db, before.seq);
      return;
    }
    const seq = before?.seq ?? insertAvatar(this.db, after, submission);
    if (before !== null) updateAvatar(this.db, before, after);
    if (after.status === 'submitting' && this.#begun.size < MAX_BEGUN)
      this.#begun.set(after.id, { ...after, seq });
  }

  /** One whose submit is under way, as it was written here last; `null`: it has to be read. */
  begun(id: string): AvatarRow | null {
    return this.#begun.get(id) ?? null;
  }

  /** The one where a condition holds; `null` where there is none, and where it is damaged. */
  avatar(where: string, values: readonly Value[]): AvatarRow | null {
    const found = readAvatar(this.db, where, values);
    return found === null ? null : (this.whole([found])[0] ?? null);
  }

  caller(name: string): CallerRow {
    return this.tables.callers.get(name) ?? { name, served: 0, changed: 0 };
  }

  /** The place of a change of an avatar of a caller. */
  place(name: string): number {
    const { state } = this;
    const caller = this.caller(name);
    state.place = Math.max(state.place + 1, this.now * 1000);
    caller.changed = state.place;
    this.tables.state.put(state);
    this.tables.callers.put(caller);
    return caller.changed;
  }

  /** An avatar leaves the queue to be submitted: what time is counted by there. */
  serve({ caller: name, tag }: Pick<AvatarRow, 'caller' | 'tag'>): void {
    const { state } = this;
    const caller = this.caller(name);
    state.clock = Math.max(state.clock, tag);
    caller.served = Math.max(caller.served, tag);
    this.tables.state.put(state);
    this.tables.callers.put(caller);
  }

  /** To be told once all is on disk. */
  tell(change: Change): void {
    this.#written.changes.push(change);
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
  quarantine({ seq, row, doc, damaged }: DamagedAvatar): void {
    const { db, now } = this;
    const { id, caller, idempotency, file } = row;
    if (file !== null) this.#written.files.push(String(file));
    this.#wrote = true;
    deleteAvatar(db, seq);
    const known = guessed(row);
    if (known !== null && isReserved(known.status)) countCost(this.tables.accounts, known, null);
    const found = [seq, id, caller, idempotency, now, damaged, doc];
    db.sql('insert or replace into quarantine values (?, ?, ?, ?, ?, ?, ?)').run(found);
    const oldest = 'select seq from quarantine order by found desc, seq limit -1 offset ?';
    db.sql(`delete from quarantine where seq in (${oldest})`).run([MAX_QUARANTINED]);
    this.#counts = null;
    this.#begun.clear();
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
function guessed(row: DamagedAvatar['row']): Counted | null {
  const known = row as unknown as Counted;
  const { created, status, cost_ms, cost_units } = known;
  const isKnown = STATUSES.includes(status) && [created, cost_ms, cost_units].every(Number.isSafeInteger);
  return isKnown ? known : null;
}
