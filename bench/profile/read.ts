/** What a CPU profile of V8 says: which functions a thread spent its time in. */

/** As `node --cpu-prof` writes it (Chrome DevTools Protocol, `Profiler.Profile`); times are in microseconds. */
export interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: {
      readonly functionName: string;
      readonly url: string;
      /** The first one is 0. */
      readonly lineNumber: number;
    };
  }[];
  /** By the monotonic clock of the machine, which all its processes share. */
  readonly startTime: number;
  readonly endTime: number;
  readonly samples: readonly number[];
  /** From the sample before to each; of the first one, from the start. */
  readonly timeDeltas: readonly number[];
}

export interface Span {
  readonly from: number;
  readonly to: number;
}

export interface Cost {
  readonly what: string;
  /** Of the time that the thread was busy. */
  readonly share: number;
}

export interface Costs {
  /** Of the span, without what the thread waited. */
  readonly busy: number;
  /** By their own time, largest first. */
  readonly functions: readonly Cost[];
  readonly packages: readonly Cost[];
}

const IDLE = '(idle)';

/**
 * @param span what is counted, in microseconds of the same clock
 * @param root where the project is, with a slash at its end: paths are shown from there
 */
export function costsIn(profile: CpuProfile, span: Span, root: string): Costs {
  const places = new Map(profile.nodes.map(({ id, callFrame }) => [id, placeOf(callFrame, root)]));
  const functions = new Map<string, number>();
  const packages = new Map<string, number>();
  let busy = 0;
  let at = profile.startTime;
  profile.samples.forEach((sample, n) => {
    at += profile.timeDeltas[n] ?? 0;
    const next = n + 1 < profile.samples.length ? at + (profile.timeDeltas[n + 1] ?? 0) : profile.endTime;
    // What is sampled lasts until the next sample.
    const micros = Math.min(next, span.to) - Math.max(at, span.from);
    const place = places.get(sample);
    if (micros <= 0 || place === undefined || place.what === IDLE) return;
    busy += micros;
    functions.set(place.what, (functions.get(place.what) ?? 0) + micros);
    packages.set(place.from, (packages.get(place.from) ?? 0) + micros);
  });
  const shares = (all: ReadonlyMap<string, number>): Cost[] =>
    Array.from(all, ([what, micros]) => ({ what, share: micros / busy })).toSorted(
      (a, b) => b.share - a.share,
    );
  return { busy: busy / (span.to - span.from), functions: shares(functions), packages: shares(packages) };
}

/** A function, and who it belongs to: a package, a folder of ours, Node, or V8 itself. */
function placeOf({ functionName, url, lineNumber }: CpuProfile['nodes'][number]['callFrame'], root: string) {
  const name = functionName === '' ? '(anonymous)' : functionName;
  if (url === '') return { what: name, from: name.startsWith('(') ? name : 'V8, built in' };
  const path = url.replace(/^file:\/\//, '').replace(root, '');
  const what = `${name} ${path.replace(/^node_modules\//, '')}:${lineNumber + 1}`;
  if (url.startsWith('node:')) return { what, from: 'Node' };
  const [, foreign] = /node_modules\/((?:@[^/]+\/)?[^/]+)(?!.*\/node_modules\/)/.exec(path) ?? [];
  return { what, from: foreign ?? path.split('/').slice(0, 2).join('/') };
}
