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
export function runCalls(cx: Context, calls: readonly Call[]): Outcome {
  const parts = runTogether(cx, calls) ?? calls.map((call) => runAlone(cx, call));
  return {
    replies: parts.flatMap(({ replies }) => replies),
    changes: parts.flatMap(({ written }) => written?.changes ?? []),
    files: parts.flatMap(({ written }) => written?.files ?? []),
    quarantined: parts.reduce((sum, { written }) => sum + (written?.quarantined ?? 0), 0),
  };
}

interface Part {
  readonly replies: readonly Reply[];
  readonly written: Written | null;
}

function runTogether(cx: Context, calls: readonly Call[]): Part[] | null {
  const replies: Reply[] = [];
  try {
    const written = cx.transact(() => {
      for (const call of calls) replies.push({ n: call.n, value: runCall(cx, call) });
    });
    return [{ replies, written }];
  } catch {
    return null;
  }
}

function runAlone(cx: Context, call: Call): Part {
  try {
    let value: unknown;
    const written = cx.transact(() => {
      value = runCall(cx, call);
    });
    return { replies: [{ n: call.n, value }], written };
  } catch (error) {
    return { replies: [{ n: call.n, error: failureOf(error) }], written: null };
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
