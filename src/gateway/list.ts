import type { Scope } from '../domain/caller.js';
import type { ListQuery, Place } from '../store/store.js';
import type { Ports } from './ports.js';
import { type Seen, seen } from './seen.js';

export type { ListQuery, Place } from '../store/store.js';

/** A page of a caller's avatars, the newest first. `next`: where it ends; `null` where nothing follows. */
export interface SeenPage {
  readonly page: readonly Seen[];
  readonly next: Place | null;
}

/** @throws {StoreUnavailableError} */
export async function list(
  { store, limits }: Pick<Ports, 'store' | 'limits'>,
  scope: Scope,
  query: ListQuery,
): Promise<SeenPage> {
  const { found, next } = await store.list(scope, query);
  return { page: found.map((each) => seen(limits, each)), next };
}
