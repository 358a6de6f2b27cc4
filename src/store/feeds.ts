/** Feeds of changes. A place is a number of microseconds, or one more than the last where the clock did not go on. */

import type { Changed, Feed, Stored } from './store.js';

/** That an avatar was changed. */
export interface Entry {
  readonly id: string;
  readonly at: number;
}

/** `forgotten`: up to where changes may be missing. */
export interface Stretch<E extends Entry = Entry> {
  readonly entries: readonly E[];
  readonly last: number;
  readonly forgotten: number;
}

/**
 * @param read the first so many entries behind a place, and the rest as it is at that moment
 * @param look what each of these entries leads to; `null` where there is nothing to show
 */
export async function feedOf<E extends Entry>(
  after: number | null,
  limit: number,
  read: (after: number, count: number) => Promise<Stretch<E>>,
  look: (entries: readonly E[]) => Promise<readonly (Stored | null)[]>,
): Promise<Feed> {
  if (after === null) return { changed: [], last: (await read(0, 0)).last, whole: true };
  const changed = new Map<string, Changed>();
  let behind = Math.max(0, after);
  let forgotten = 0;
  for (;;) {
    const { entries, last, ...rest } = await read(behind, limit);
    forgotten = Math.max(forgotten, rest.forgotten);
    const found = await look(entries);
    entries.forEach(({ id, at }, i) => {
      const stored = found[i];
      changed.delete(id); // What was changed since it was read is had in its new place.
      if (stored) changed.set(id, { ...stored, at });
    });
    behind = entries.at(-1)?.at ?? behind;
    if (changed.size < limit && entries.length === limit) continue;
    // Who knows of more than there is knows another store, which this one was before it lost something.
    const whole = forgotten <= after && after <= last;
    return { changed: [...changed.values()].slice(0, limit), last, whole };
  }
}
