/** What the thread that fuzzes and the one that watches it say to each other. */

/** How long one call may take, in milliseconds. */
export const MAX_CALL_MS = 1_000;

export interface Job {
  /** Address of the module that exports `TARGETS`. */
  readonly module: string;
  readonly target: string;
  readonly seed: number;
  readonly durationMs: number;
  /** The call that runs: its number, odd while it does, and how many bytes it was given. */
  readonly control: SharedArrayBuffer;
  /** Those bytes, for when the thread can no longer be asked. */
  readonly input: SharedArrayBuffer;
}

export const CONTROL = { call: 0, length: 1, words: 2 } as const;

/** Something that must not happen, and the bytes that it happened with. */
export interface Finding {
  readonly what: 'crash' | 'slow' | 'hang' | 'died' | 'leak';
  readonly words: string;
  readonly bytes: Uint8Array | null;
}

export interface Tally {
  readonly calls: number;
  /** Calls that the target did not refuse. */
  readonly taken: number;
  readonly slowestMs: number;
  /** How many bytes the slowest call was given. */
  readonly slowestBytes: number;
  /** Files that reached something new, and parts of our code that were reached. */
  readonly kept: number;
  readonly parts: number;
  /** Heap and buffers after a collection, without what the fuzzer itself keeps: early, and at the end. */
  readonly earlyBytes: number;
  readonly lateBytes: number;
}

export type Message =
  | { readonly kind: 'finding'; readonly finding: Finding }
  | { readonly kind: 'done'; readonly tally: Tally };
