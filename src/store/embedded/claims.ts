import { wholeDelay } from '../delay.js';
import { type Preferred, preferredFirst, SPARE } from '../preferred.js';
import { CorruptRecordError, NewerRecordError } from '../record.js';
import type { Stored } from '../store.js';
import type { Transaction } from './commit.js';
import type { Engine } from './engine.js';
import { dueRange, parseDueKey } from './keys.js';
import { readMeta, readRecord, schedule } from './records.js';

/** Claims of due avatars. One follows the other, so that each finds what the one before it left. */
export class Claims {
  readonly #engine: Engine;
  #last: Promise<unknown> = Promise.resolve();

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  claim(lane: string | null, limit: number, leaseMs: number, preferred: Preferred): Promise<Stored[]> {
    const claimed = this.#last.then(() => this.#claim(lane, limit, wholeDelay(leaseMs), preferred));
    this.#last = claimed.catch(() => {});
    return claimed;
  }

  async #claim(lane: string | null, limit: number, leaseMs: number, preferred: Preferred): Promise<Stored[]> {
    await this.#engine.ready();
    const now = this.#engine.now();
    const looked = limit + (preferred.size > 0 ? SPARE : 0);
    const keys = await this.#engine.disk.keys({ ...dueRange(lane, now), limit: looked });
    if (keys.length === 0) return [];
    const entries = preferredFirst(
      keys.map((key) => ({ key, id: parseDueKey(lane, key).id })),
      preferred,
    );
    return this.#engine.transact((tx) => {
      const claimed: Stored[] = [];
      for (const { key, id } of entries) {
        if (claimed.length === limit) break;
        const taken = this.#take(tx, key, id, now + leaseMs, now);
        if (taken !== null) claimed.push(taken);
      }
      return claimed;
    });
  }

  #take(tx: Transaction, entry: string, id: string, due: number, now: number): Stored | null {
    // A save that was not on disk yet may have moved it since.
    if (tx.get(entry) === undefined) return null;
    const found = readRecord(tx, id);
    if (found instanceof NewerRecordError) {
      const meta = readMeta(tx, id);
      if (meta !== null) schedule(tx, id, meta, { ...meta, due });
      return null;
    }
    if (found === null || found instanceof CorruptRecordError) {
      tx.del(entry);
      if (found !== null) this.#engine.setAside(tx, id);
      return null;
    }
    const { avatar, meta } = found;
    const version = meta.version + 1;
    schedule(tx, id, meta, { ...meta, version, due });
    return { avatar, version, now };
  }
}
