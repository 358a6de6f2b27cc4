/** What the processes of `bench:overload` tell each other. */

import type { ProbeSaid, ProbeTold } from './probe-messages.js';

/** What ordinary callers do: read over a connection they have, read over a new one, make an avatar, open a stream and read its first event. */
export const KINDS = ['read', 'read, new connection', 'create', 'stream'] as const;
export type Kind = (typeof KINDS)[number];

export const ATTACKS = ['slowloris', 'idle', 'oversized', 'nonsense', 'slow-uploads', 'streams'] as const;
export type AttackName = (typeof ATTACKS)[number];

/** The keys in the file of callers: ordinary callers are one, those who attack with a key another. */
export const KEYS = { shop: 'agk_shop', greedy: 'agk_greedy' } as const;

/** What the gateway has for bodies, in bytes: slow uploads claim all of it. */
export const BODY_MEMORY_BYTES = 256_000_000;

export type OverloadTold =
  | ProbeTold
  /** Call as ordinary callers do, from now on. */
  | { readonly kind: 'call'; readonly url: string; readonly path: string }
  /** Forget what was measured so far. */
  | { readonly kind: 'measure' }
  | { readonly kind: 'tell' }
  | {
      readonly kind: 'attack';
      readonly name: AttackName;
      readonly port: number;
      readonly connections: number;
      /** From an address from which ordinary callers come, or from 200 others. */
      readonly fromCallers: boolean;
    }
  /** Hang up. */
  | { readonly kind: 'end' };

export type OverloadSaid =
  | ProbeSaid
  | { readonly kind: 'measuring' }
  | { readonly kind: 'told'; readonly seen: Seen }
  /** The attack is under way. */
  | { readonly kind: 'attacking' }
  | { readonly kind: 'ended'; readonly fate: Fate };

export interface Seen {
  /** In ms, each from when it was to be sent. */
  readonly tookMs: Readonly<Record<Kind, readonly number[]>>;
  /** Any other answer than was hoped for, by what it was. */
  readonly notOk: Readonly<Record<string, number>>;
}

/** What became of those who attack. */
export interface Fate {
  /** Connections that were open at once, at most. */
  readonly heldAtMost: number;
  /** Over all. */
  readonly connections: number;
  /** By the status they were answered with, or how they ended. */
  readonly outcomes: Readonly<Record<string, number>>;
  /** From the connection to its end by the gateway, in the middle of all; `null` where it ended none. */
  readonly closedAfterMs: number | null;
}
