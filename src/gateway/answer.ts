import type { SubmitOutcome } from '../modellix/outcome.js';

/** What a submit came to; or that there was nothing to send, since what was stored for it is lost. */
export type Outcome = SubmitOutcome | { readonly kind: 'nothing-to-send' };

/** What a submit came to: all that is needed to write it down, now or after a restart. */
export interface Answer {
  readonly avatarId: string;
  readonly caller: string;
  readonly intent: string;
  readonly outcome: Outcome;
  /** When it came, on the store's clock. */
  readonly at: number;
}
