/** What to make of a result that its host does not have. */

import type { Avatar, Video } from './avatar.js';

/** Hosts lag behind a task's success for up to some minutes (contract, "Query"). */
const YOUNG_MS = 600_000;
const SHORTEST_PAUSE_MS = 2_000;
const LONGEST_PAUSE_MS = 60_000;

/**
 * How soon to ask again for a video that its host does not have: the later, the older it is. `null` where it is too old, or
 * has expired, so that it is gone rather than on its way.
 */
export function notYetMs(
  { completedAt }: Pick<Avatar, 'completedAt'>,
  { expiresAt }: Pick<Video, 'expiresAt'>,
  now: number,
): number | null {
  const ageMs = completedAt === null ? YOUNG_MS : now - completedAt;
  if (ageMs >= YOUNG_MS || (expiresAt !== null && expiresAt <= now)) return null;
  return Math.min(LONGEST_PAUSE_MS, Math.max(SHORTEST_PAUSE_MS, ageMs));
}
