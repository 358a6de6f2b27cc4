/** What is counted over all avatars, in memory: the queue, the slots of each key, when a poll of it is due. */

import type { Database } from './database.js';
import { type AvatarRow, FOREVER } from './rows.js';

type Counted = Pick<AvatarRow, 'status' | 'bytes' | 'key_id' | 'slot_until' | 'due_key' | 'due'>;

export class Counts {
  readonly #db: Database;
  /** Avatars in the queue, and the bytes of their submissions. */
  queued = 0;
  queuedBytes = 0;
  /** Slots that are held until another write, by key. */
  readonly #held = new Map<string | null, number>();
  /** From then on no other slot of a key is held. */
  readonly #endsAt = new Map<string | null, number>();
  /** Not before this is a poll of a key due. */
  readonly #dueAt = new Map<string, number>();

  constructor(db: Database) {
    this.#db = db;
    const queue = `select count(*), coalesce(sum(bytes), 0) from avatars where status = 'queued'`;
    [this.queued, this.queuedBytes] = (db.sql(queue).get([]) ?? []).map(Number) as [number, number];
    const held = `select cast(key_id as blob), count(*) from avatars
      where status in ('submitting', 'pending', 'processing') and slot_until = ${FOREVER} group by key_id`;
    for (const [keyId, count] of db.sql(held).all([])) this.#held.set(String(keyId), Number(count));
    const ends = `select cast(key_id as blob), max(slot_until) from avatars where slot_until < ${FOREVER} group by key_id`;
    for (const [keyId, at] of db.sql(ends).all([])) this.#endsAt.set(String(keyId), Number(at));
  }

  /** Counts an avatar as it is now, instead of as it was; `null`: not at all. */
  move(before: Counted | null, after: Counted | null): void {
    if (before !== null) this.#add(before, -1);
    if (after === null) return;
    this.#add(after, 1);
    const { key_id, slot_until, due_key, due } = after;
    if (slot_until !== null && slot_until !== FOREVER)
      this.#endsAt.set(key_id, Math.max(slot_until, this.#endsAt.get(key_id) ?? 0));
    if (due_key !== null && due < (this.#dueAt.get(due_key) ?? 0)) this.#dueAt.set(due_key, due);
  }

  /** How many slots of a key are held. */
  slots(keyId: string, now: number): number {
    const held = this.#held.get(keyId) ?? 0;
    if ((this.#endsAt.get(keyId) ?? 0) <= now) return held;
    const text = `select count(*) from avatars where key_id = ? and slot_until > ? and slot_until < ${FOREVER}`;
    return held + Number(this.#db.sql(text).get([keyId, now])?.[0]);
  }

  /** Whether a poll of a key is due. */
  isDue(keyId: string, now: number): boolean {
    let at = this.#dueAt.get(keyId) ?? 0;
    if (at <= now) {
      const first = this.#db.sql('select min(due) from avatars where due_key = ?').get([keyId])?.[0];
      at = Number(first ?? Number.POSITIVE_INFINITY);
      this.#dueAt.set(keyId, at);
    }
    return at <= now;
  }

  #add({ status, bytes, key_id, slot_until }: Counted, by: 1 | -1): void {
    if (status === 'queued') {
      this.queued += by;
      this.queuedBytes += by * bytes;
    }
    if (slot_until === FOREVER) this.#held.set(key_id, (this.#held.get(key_id) ?? 0) + by);
  }
}
