/** The arithmetic of the bench. */

/** Of one subject in one turn, at so many connections. */
export interface Measured {
  readonly subject: string;
  readonly connections: number;
  readonly turn: number;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Processor time of the subject for each answer, all its threads and children. */
  readonly cpuMs: number;
  /** The same of its Redis, 0 where it has none. */
  readonly storeCpuMs: number;
  /** Which share of its core the subject had: near 1 it was the subject that was too slow, and not the load. */
  readonly busy: number;
  readonly rssBytes: number;
}

/** A ratio is taken within each turn: what disturbs the machine for longer disturbs both. */
export interface Ratio {
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

/** @param sorted smallest first */
export function quantile(sorted: ArrayLike<number>, q: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? Number.NaN;
}

/** Of an even number, the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  const [low, high] = [sorted[Math.ceil(middle) - 1], sorted[Math.floor(middle)]];
  return low === undefined || high === undefined ? Number.NaN : (low + high) / 2;
}

/** Answers a second of one subject for each of another's, over the turns that have both; `null` where none has. */
export function ratio(
  all: readonly Measured[],
  subject: string,
  to: string,
  connections: number,
): Ratio | null {
  const ratios = inPairs(all, subject, to, connections).map(([one, two]) => one.perSecond / two.perSecond);
  if (ratios.length === 0) return null;
  return { median: median(ratios), least: Math.min(...ratios), most: Math.max(...ratios) };
}

/** By how much its p50 is above another's, the median over the turns; `null` where no turn has both. */
export function aboveMs(
  all: readonly Measured[],
  subject: string,
  other: string,
  connections: number,
): number | null {
  const differences = inPairs(all, subject, other, connections).map(([one, two]) => one.p50Ms - two.p50Ms);
  return differences.length === 0 ? null : median(differences);
}

/** Of one subject and another in the same turn. */
function inPairs(
  all: readonly Measured[],
  subject: string,
  other: string,
  connections: number,
): [Measured, Measured][] {
  const of = (name: string) =>
    all.filter((each) => each.subject === name && each.connections === connections);
  return of(subject).flatMap((one): [Measured, Measured][] => {
    const two = of(other).find(({ turn }) => turn === one.turn);
    return two === undefined ? [] : [[one, two]];
  });
}

/** The medians of a subject's turns; `null` where it has none. */
export function middle(
  all: readonly Measured[],
  subject: string,
  connections: number,
): Omit<Measured, 'turn'> | null {
  const its = all.filter((each) => each.subject === subject && each.connections === connections);
  if (its.length === 0) return null;
  const of = (field: (each: Measured) => number) => median(its.map(field));
  return {
    subject,
    connections,
    perSecond: of(({ perSecond }) => perSecond),
    p50Ms: of(({ p50Ms }) => p50Ms),
    p99Ms: of(({ p99Ms }) => p99Ms),
    cpuMs: of(({ cpuMs }) => cpuMs),
    storeCpuMs: of(({ storeCpuMs }) => storeCpuMs),
    busy: of(({ busy }) => busy),
    rssBytes: of(({ rssBytes }) => rssBytes),
  };
}
