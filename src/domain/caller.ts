/** Who calls: what a caller may do, and whose avatars it sees. */

import type { Mode } from './avatar.js';
import { NO_CAPS, type SpendCaps } from './spend.js';

/** Shares of the queue go from 1, which everyone has, to this. */
export const MAX_QUEUE_SHARE = 100;

export interface Caller {
  readonly name: string;
  /** Sees everyone's avatars, and may say what became of an unconfirmed one. */
  readonly admin: boolean;
  /** What it may ask for. */
  readonly modes: ReadonlySet<Mode>;
  /** `null`: as many as the setting says. */
  readonly requestsPerMinute: number | null;
  /** How many of its avatars may be unfinished at once; `null`: any number. */
  readonly maxUnfinished: number | null;
  /** How often it has its turn in the queue while one with a share of 1 has it once. */
  readonly queueShare: number;
  readonly caps: SpendCaps;
  /** What its callbacks are signed with, `whsec_...`; none: the gateway's own. */
  readonly webhookSecrets: readonly string[];
  /** The hosts that its callbacks may go to, in lower case, `*.` before a domain for all below it; `null`: any. */
  readonly callbackHosts: readonly string[] | null;
}

/** Whoever reaches a gateway that knows no callers. */
export const ANONYMOUS: Caller = Object.freeze({
  name: 'anonymous',
  admin: false,
  modes: new Set<Mode>(['std', 'pro']),
  requestsPerMinute: null,
  maxUnfinished: null,
  queueShare: 1,
  caps: NO_CAPS,
  webhookSecrets: [],
  callbackHosts: null,
});

/** All callers there are and were. */
export const EVERYONE = Symbol('everyone');

/** Whose avatars are looked for: those of the caller with a name, or everyone's. */
export type Scope = string | typeof EVERYONE;

/** What a caller sees. */
export function scopeOf({ name, admin }: Pick<Caller, 'name' | 'admin'>): Scope {
  return admin ? EVERYONE : name;
}

/** Whether an avatar of a caller is within a scope. */
export function isWithin(scope: Scope, caller: string): boolean {
  return scope === EVERYONE || scope === caller;
}

/** Whose key it is. */
export type Identified =
  | { readonly kind: 'known'; readonly caller: Caller }
  | { readonly kind: 'expired'; readonly name: string }
  | { readonly kind: 'unknown' };

/** The callers there are, as of now: they may change at any time. */
export interface CallerDirectory {
  /** Takes as long for a key that is nearly right as for any other. */
  identify(key: string): Identified;
  /** Whether the key that a caller was identified by still is its key, and shows it the same avatars. @param caller as {@link identify} gave it */
  isCurrent(caller: Caller): boolean;
  /** Expired ones among them; `null` for one that is not there, or not any more. */
  find(name: string): Caller | null;
}
