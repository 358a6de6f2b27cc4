import type { SubmitOutcome } from '../modellix/outcome.js';

/** What a submit came to: all that is needed to write it down, now or after a restart. */
export interface Answer {
  readonly avatarId: string;
  readonly caller: string;
  readonly intent: string;
  readonly outcome: SubmitOutcome;
  /** When it came, on the store's clock. */
  readonly at: number;
}
