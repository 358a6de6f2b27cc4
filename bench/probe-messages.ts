/** What a measured process and the bench tell each other, see `probe.ts`. */

/** Between two measurements of the event loop's delay, which is part of each. */
export const LOOP_RESOLUTION_MS = 10;

/** From the bench to a process. */
export type ProbeTold =
  /** Collect garbage. */
  | { readonly kind: 'settle' }
  /** Measure from now on. */
  | { readonly kind: 'reset' }
  | { readonly kind: 'read' };

/** From a process to the bench. */
export type ProbeSaid =
  | { readonly kind: 'listening'; readonly url: string }
  /** What it holds after the garbage was collected, in bytes. */
  | { readonly kind: 'settled'; readonly heapBytes: number; readonly externalBytes: number }
  | { readonly kind: 'reset' }
  | {
      readonly kind: 'figures';
      readonly loopP99Ms: number;
      readonly loopMaxMs: number;
      readonly cpuMs: number;
    };

/** Says something to the bench, from a process that it started. */
export function say<Said extends { readonly kind: string }>(said: Said): void {
  process.send?.(said);
}
