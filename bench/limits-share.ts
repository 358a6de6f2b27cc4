/** Where the time of the allowed slots went, from what the simulator saw. */

/** A task at the simulator, in ms. `seenAt`: when the answer went out that said it was finished; `null` not yet. */
export interface TaskSpan {
  readonly submittedAt: number;
  readonly endsAt: number;
  readonly seenAt: number | null;
}

/** Shares of slots x time. The three make 1. */
export interface Shares {
  /** A task was unfinished. */
  readonly used: number;
  /** A task was finished, and the gateway did not know it yet. */
  readonly unseen: number;
  /** The gateway had seen the end of the last one, or there was none, and the next one was not there yet. */
  readonly empty: number;
}

export interface Distribution {
  readonly mean: number;
  readonly p95: number;
  readonly max: number;
}

export interface Window {
  readonly from: number;
  readonly to: number;
}

export function sharesOf(tasks: readonly TaskSpan[], slots: number, { from, to }: Window): Shares {
  const within = (begin: number, end: number) => Math.max(0, Math.min(end, to) - Math.max(begin, from));
  let [used, unseen] = [0, 0];
  for (const { submittedAt, endsAt, seenAt } of tasks) {
    used += within(submittedAt, endsAt);
    unseen += within(endsAt, seenAt ?? Number.POSITIVE_INFINITY);
  }
  const all = slots * (to - from);
  return { used: used / all, unseen: unseen / all, empty: 1 - (used + unseen) / all };
}

/** From the end of each task to the poll that saw it. */
export function lagsOf(tasks: readonly TaskSpan[]): number[] {
  return tasks.flatMap(({ endsAt, seenAt }) => (seenAt === null ? [] : [seenAt - endsAt]));
}

/** From each end that was seen to the submit that took its slot; the first ones had their slots from the start. */
export function gapsOf(tasks: readonly TaskSpan[], slots: number): number[] {
  const submits = tasks.map(({ submittedAt }) => submittedAt).sort((a, b) => a - b);
  const seen = tasks.flatMap(({ seenAt }) => seenAt ?? []).sort((a, b) => a - b);
  return submits.slice(slots).flatMap((at, i) => {
    const freed = seen[i];
    return freed === undefined ? [] : [at - freed];
  });
}

export function distribution(values: readonly number[]): Distribution {
  const sorted = [...values].sort((a, b) => a - b);
  const mean = sorted.reduce((sum, value) => sum + value, 0) / sorted.length;
  return {
    mean,
    p95: sorted[Math.floor(sorted.length * 0.95)] ?? Number.NaN,
    max: sorted.at(-1) ?? Number.NaN,
  };
}
