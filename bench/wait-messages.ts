/** What the processes of `bench:wait` tell each other. */

import type { ProbeSaid, ProbeTold } from './probe-messages.js';

/** Requests that wait, each over a connection of its own. When its avatar has ended each goes on with the next one. */
export interface Waits {
  readonly port: number;
  /** Of this machine; a connection each in turn, so that no address runs out of ports. */
  readonly from: readonly string[];
  /** Ids of avatars: of each long poll. */
  readonly polls: readonly string[];
  /** Whether their first waits end one after the other within a minute, as if each had come at another time; else all wait a minute. */
  readonly areSpread: boolean;
  /** Ids of avatars: of each event stream. */
  readonly streams: readonly string[];
  /** Event streams of all of the caller's avatars. */
  readonly feeds: number;
}

export type WaitTold =
  | ProbeTold
  | { readonly kind: 'open'; readonly waits: Waits }
  /** Forget who was told so far. @param next where those go on whose avatar has ended */
  | { readonly kind: 'watch'; readonly next: Readonly<Record<string, string>> }
  | { readonly kind: 'tell' }
  /** Hang up. */
  | { readonly kind: 'close' }
  /** Receive callbacks, so many each way. */
  | { readonly kind: 'receive'; readonly living: number; readonly silent: number; readonly refusing: number };

export type WaitSaid =
  | ProbeSaid
  /** All have asked, and every stream has begun. */
  | { readonly kind: 'opened' }
  | { readonly kind: 'watching' }
  | { readonly kind: 'told'; readonly seen: Seen }
  | { readonly kind: 'closed' }
  | { readonly kind: 'receiving'; readonly origins: readonly string[] }
  | { readonly kind: 'received'; readonly received: Received };

/** What those who wait saw since `watch`. */
export interface Seen {
  /** How many were told that an avatar has ended, and when the last one was, in ms of the machine's monotonic clock. */
  readonly ends: Readonly<Record<string, { readonly count: number; readonly lastAt: number }>>;
  /** Requests that were sent. */
  readonly sent: number;
  /** Answers and ends of connections that nobody expected, by what they were. */
  readonly notOk: Readonly<Record<string, number>>;
}

/** What receivers were told. */
export interface Received {
  /** How late those that answer were told of each end, in ms. */
  readonly latenessMs: readonly number[];
  /** Messages that had come before. */
  readonly again: number;
  /** Tries at those that never answer. */
  readonly inVain: number;
}

/** The machine's monotonic clock, in ms: the same in all processes. */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
