import type { Bounds } from '../store.js';
import { QueueFullError } from '../store.js';
import type { Transaction } from './commit.js';
import { CLOCK, callerKey, decodePlace, encodePlace, type Place, queueKey, rangeOf } from './keys.js';
import type { LevelDisk } from './level.js';
import { Order } from './order.js';

/**
 * The queue, in memory beside its entries on disk: start-time fair queuing at unit cost (Goyal, Vin and Cheng 1996).
 * An avatar's tag is that of its caller's last and a step, which is a turn for a share of 1 and less for a larger one, or
 * the clock, which is the highest tag that was submitted: so callers take turns, and who comes new is served next.
 */
export class Queue {
  readonly #order = new Order();
  readonly #lastTags = new Map<string, number>();
  /** Those that this release cannot read: they keep their places and are not looked at again. */
  readonly #passed = new Set<string>();
  #clock = 0;

  get size(): number {
    return this.#order.size;
  }

  get bytes(): number {
    return this.#order.bytes;
  }

  /** Reads it anew. @throws StoreUnavailableError */
  async load(disk: LevelDisk): Promise<void> {
    const entries = await disk.entries(rangeOf('queue!'));
    const callers = await disk.entries(rangeOf('caller!'));
    this.#clock = Number(disk.read(CLOCK)?.toString() ?? 0);
    this.#passed.clear();
    this.#lastTags.clear();
    for (const [key, tag] of callers) this.#lastTags.set(key.slice('caller!'.length), Number(tag.toString()));
    // An avatar whose entry cannot be read waits no more; it is still due in the common index.
    const places = entries.map(([key, value]) => [key.slice('queue!'.length), decodePlace(value)] as const);
    this.#order.fill(places.flatMap(([id, place]) => (place === null ? [] : [{ id, ...place }])));
  }

  /** @throws QueueFullError where an avatar with so many bytes does not fit */
  checkRoom({ maxAvatars, maxBytes }: Bounds, bytes: number): void {
    if (this.size + 1 > maxAvatars) throw new QueueFullError('avatars');
    if (this.bytes + bytes > maxBytes) throw new QueueFullError('bytes');
  }

  /** The tag of a new avatar of a caller. @param step of `shares.ts` */
  nextTag(caller: string, step: number): number {
    return Math.max(this.#clock, (this.#lastTags.get(caller) ?? 0) + step);
  }

  /** Puts it at a place, from wherever it was. */
  enter(tx: Transaction, id: string, place: Place): void {
    const { caller, tag } = place;
    tx.put(queueKey(id), encodePlace(place));
    tx.also(() => this.#order.put({ id, ...place }));
    // One that comes back from behind the clock tells nothing of its caller's next.
    if (tag < this.#clock || tag <= (this.#lastTags.get(caller) ?? -1)) return;
    tx.put(callerKey(caller), Buffer.from(String(tag)));
    tx.also(() => this.#lastTags.set(caller, tag));
  }

  /** @param submitted whether it left to be submitted, which is what time is counted by here */
  leave(tx: Transaction, id: string, submitted: boolean): void {
    const place = this.#order.get(id);
    if (place === undefined) return;
    tx.del(queueKey(id));
    tx.also(() => {
      this.#order.delete(id);
      this.#passed.delete(id);
    });
    if (submitted && place.tag > this.#clock) this.#setClock(tx, place.tag);
  }

  /** Not to be looked at any more by this process; its place stays its own. */
  pass(id: string): void {
    this.#passed.add(id);
  }

  /** How many are before it; `null` where it is not queued. */
  ahead(id: string): number | null {
    return this.#order.rank(id);
  }

  /** In the order in which they are to be submitted. */
  *ids(): Iterable<string> {
    for (const { id } of this.#order) if (!this.#passed.has(id)) yield id;
  }

  /** Who is a whole turn behind the clock starts at it, as one does who was never there: no step is longer. */
  #setClock(tx: Transaction, clock: number): void {
    const behind = [...this.#lastTags].filter(([, tag]) => tag <= clock - 1).map(([caller]) => caller);
    tx.put(CLOCK, Buffer.from(String(clock)));
    for (const caller of behind) tx.del(callerKey(caller));
    tx.also(() => {
      this.#clock = clock;
      for (const caller of behind) this.#lastTags.delete(caller);
    });
  }
}
