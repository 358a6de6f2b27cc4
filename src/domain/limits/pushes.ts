/** Whether Modellix's pushes arrive, learned from tasks that ended: their end was heard of by a push, or found by a poll. */

export interface PushArrivals {
  readonly arrive: boolean;
  /** How many ends in a row say the contrary. */
  readonly against: number;
}

/** One alone may be chance: a poll that was due just then, a push that was lost. */
const BELIEVED = 2;

export const NO_PUSHES: PushArrivals = { arrive: false, against: 0 };

/** What is known after one more end. It is the same object where that is no news. */
export function afterEnd(known: PushArrivals, byPush: boolean): PushArrivals {
  const { arrive, against } = known;
  if (byPush === arrive) return against === 0 ? known : { arrive, against: 0 };
  return against + 1 < BELIEVED ? { arrive, against: against + 1 } : { arrive: byPush, against: 0 };
}
