/** What an avatar holds in the store, and where it waits there: its status says so, and nothing else does. */

import type { Avatar } from './avatar.js';

export interface Standing {
  /** Waits in the queue for its submit. */
  readonly queued: boolean;
  /** Holds one of the unfinished tasks that its key may have. */
  readonly slot: boolean;
  /**
   * The due index it stands in: that of its key where its next step is a call with that key, else the common one,
   * `null`, whose steps need no call.
   */
  readonly lane: string | null;
}

/** An `unconfirmed` avatar may hold its slot for a while longer; how long is said where it is written. */
export function standingOf({ status, keyId }: Avatar): Standing {
  const atModellix = status === 'pending' || status === 'processing';
  return {
    queued: status === 'queued',
    slot: (atModellix || status === 'submitting') && keyId !== null,
    lane: atModellix ? keyId : null,
  };
}
