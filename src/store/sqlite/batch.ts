/**
 * All calls that have arrived are run in one transaction, so that many cost one flush of the disk. Where one of them fails, or they
 * cannot be written together, each is run again in a transaction of its own.
 */

import type { Context, Written } from './context.js';
import { type Operations, operations } from './operations.js';

/** `now`: the clock at the call, in ms since the epoch. */
export interface Call {
  readonly n: number;
  readonly now: number;
  readonly name: keyof Operations;
  readonly args: readonly unknown[];
}

export interface Failure {
  readonly message: string;
  readonly code: string | undefined;
  readonly stack: string | undefined;
}

export type Reply = { readonly n: number } & ({ readonly value: unknown } | { readonly error: Failure });

/** What came of calls, and what was written with them. */
export interface Outcome extends Written {
  readonly replies: readonly Reply[];
}

/** Runs calls, each as if it were alone, in their order. */
export function runCalls(cx: Context, calls: readonly Call[], areAlone = false): Outcome {
  const replies: Reply[] = [];
  try {
    const written = cx.transact(() => {
      for (const call of calls) replies.push({ n: call.n, value: runCall(cx, call) });
    });
    return { replies, ...written };
  } catch (error) {
    if (areAlone) {
      const failed = calls.map(({ n }) => ({ n, error: failureOf(error) }));
      return { replies: failed, changes: [], files: [], quarantined: 0 };
    }
    const outcomes = calls.map((call) => runCalls(cx, [call], true));
    return {
      replies: outcomes.flatMap(({ replies }) => replies),
      changes: outcomes.flatMap(({ changes }) => changes),
      files: outcomes.flatMap(({ files }) => files),
      quarantined: outcomes.reduce((sum, { quarantined }) => sum + quarantined, 0),
    };
  }
}

function runCall(cx: Context, { name, now, args }: Call): unknown {
  cx.now = now;
  const operation = operations[name] as (cx: Context, ...args: readonly unknown[]) => unknown;
  return operation(cx, ...args);
}

export function failureOf(error: unknown): Failure {
  const { message, code, stack } = error as Error & { code?: string };
  return { message, code, stack };
}
