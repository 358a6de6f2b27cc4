/** What is asked of a store's writes; `store.ts` says what they do. */

import type { Pace } from '../domain/limits/call-rate.js';
import type { SpendCaps } from '../domain/spend.js';

/** What the queue may hold at most. Bytes are those of submissions. */
export interface Bounds {
  readonly maxAvatars: number;
  readonly maxBytes: number;
}

/** How fast a key may be called. */
export interface CallTerms extends Pace {
  /** The document that they follow from, as it was then: there is no call where it was changed since. Unset: they follow from none. */
  readonly asOf?: { readonly document: string; readonly revision: number };
}

/** A key that may be submitted with now. */
export interface SubmitTerms {
  readonly keyId: string;
  /** How many unfinished tasks it may have. */
  readonly slots: number;
  readonly calls: CallTerms;
}

/** A submit to be begun. The avatar it is begun for becomes `submitting`, with the intent, the key and one attempt more. */
export interface Begin {
  /** Names this call: the same call again, because its reply was lost, begins nothing new and answers as the first. */
  readonly intent: string;
  /** Of those that have a slot and a call, the one with the most free slots is taken. */
  readonly keys: readonly SubmitTerms[];
  /** When the avatar is due in the common index, in ms from now. */
  readonly leaseMs: number;
}

export interface Admission {
  /** When the avatar is due in the common index while it is queued, in ms from now. */
  readonly dueInMs: number;
  /**
   * How long the avatar is kept from `begin` where its creator was not told that it was admitted, so that it
   * can be taken back in peace. Once the creator was told it is there for everyone.
   */
  readonly doubtMs: number;
  readonly bounds: Bounds;
  /** How often its caller has its turn while one with a share of 1 has it once: from 1, as when unset, to `MAX_QUEUE_SHARE`. */
  readonly share?: number;
  /** How many of its caller's avatars may be unfinished, this one among them; `null`, or unset: any number. */
  readonly maxUnfinished?: number | null;
  /** What its caller may spend, this avatar included; unset: any amount. */
  readonly caps?: SpendCaps;
  /** Its submit is begun in the same write, if nobody waits before it and a key has a slot and a call; unset: it is queued. */
  readonly begin?: Begin;
}

export interface Claim {
  /** The due index: that of a key, or the common one. */
  readonly keyId: string | null;
  readonly limit: number;
  /** When the claimed are due again, in ms from now. */
  readonly leaseMs: number;
  /** A call is taken for each, at these terms; unset: they need none. */
  readonly calls?: CallTerms;
  /** How many slots the key has for submits now; 0, or unset: none is to be made with it. */
  readonly slots?: number;
  /** Only what has been due for so long, in ms; unset: 0. */
  readonly overdueMs?: number;
  /** These come before others, as far as the adapter looks. */
  readonly preferred?: Pick<ReadonlySet<string>, 'has' | 'size'>;
}

export interface Save {
  /** When the avatar is due again, in ms from now. */
  readonly dueInMs: number;
  /** Whether the submission is still needed; `drop` deletes it in the same write. */
  readonly submission: 'keep' | 'drop';
  /** How long it holds its slot from now, in ms, whatever its status says; unset: as its status says. */
  readonly slotForMs?: number;
  /** Callers see nothing of it: nobody is told, and its place among the changes stays. */
  readonly silent?: boolean;
}
