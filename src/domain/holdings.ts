/** What an avatar holds in the store, and where it waits there: its status says so, and nothing else does. */

import type { Avatar } from './avatar.js';

export interface Holdings {
  /** Waits in the queue for its submit. */
  readonly queued: boolean;
  /** Holds one of the unfinished tasks that its key may have. */
  readonly slot: boolean;
  /**
   * The due index it stands in: that of its key where its next step is a call with that key, else the common one,
   * `null`, whose steps need no call.
   */
  readonly dueIndex: string | null;
}

/** A write may say otherwise of the slot: an `unconfirmed` avatar holds it a while longer, an overdue task less long. */
export function holdingsOf({ status, keyId }: Pick<Avatar, 'status' | 'keyId'>): Holdings {
  const atModellix = status === 'pending' || status === 'processing';
  return {
    queued: status === 'queued',
    slot: (atModellix || status === 'submitting') && keyId !== null,
    dueIndex: atModellix ? keyId : null,
  };
}
