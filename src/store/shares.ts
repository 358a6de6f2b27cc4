/**
 * A turn in the queue is 1. Its parts are so small that what follows each other by some of them stays exact, as a number
 * here and as a score in Redis, for 2^37 turns.
 */
const PARTS = 2 ** 16;

/**
 * How far an avatar stands behind the last of its caller. With a share of 1 that is a turn, as it was when there were no
 * shares: those that were queued then have their places among the others.
 */
export function stepOf(share: number): number {
  return Math.floor(PARTS / share) / PARTS;
}
