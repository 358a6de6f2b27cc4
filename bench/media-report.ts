/** What was measured of the media, as Markdown: one row a subject, and whether the goals are met. */

import { table } from './page.js';

/** One round of one subject. */
export interface Figures {
  /** Of what was posted, in bytes a second. */
  readonly throughput: number;
  readonly peakBytes: number;
  /** The peak above what the process held at rest, as a multiple of the bodies that are on their way at once. */
  readonly aboveIdle: number;
  /** The same in bytes. */
  readonly aboveIdleBytes: number;
  /** Processor time of all its threads; other work on the machine changes this the least. */
  readonly cpuMsABody: number;
  readonly loopP99Ms: number;
  readonly getP50Ms: number;
  readonly getP99Ms: number;
  readonly notOk: Readonly<Record<string, number>>;
}

export interface Measured {
  readonly id: string;
  readonly name: string;
  /** `null`: it does not take such bodies. */
  readonly figures: Figures | null;
}

const MAX_ABOVE_IDLE = 2.5;
const MAX_GET_P99_MS = 25;
const MIN_OF_BARE = 0.6;

/** The median of each figure on its own; what was not ok is summed. */
export function medianOf(rounds: readonly Figures[]): Figures {
  const median = (figure: (of: Figures) => number): number => {
    const sorted = rounds.map(figure).sort((a, b) => a - b);
    const [low = 0, high = 0] = [sorted[(sorted.length - 1) >> 1], sorted[sorted.length >> 1]];
    return (low + high) / 2;
  };
  const notOk: Record<string, number> = {};
  for (const round of rounds) {
    for (const [what, count] of Object.entries(round.notOk)) notOk[what] = (notOk[what] ?? 0) + count;
  }
  return {
    throughput: median((of) => of.throughput),
    peakBytes: median((of) => of.peakBytes),
    aboveIdle: median((of) => of.aboveIdle),
    aboveIdleBytes: median((of) => of.aboveIdleBytes),
    cpuMsABody: median((of) => of.cpuMsABody),
    loopP99Ms: median((of) => of.loopP99Ms),
    getP50Ms: median((of) => of.getP50Ms),
    getP99Ms: median((of) => of.getP99Ms),
    notOk,
  };
}

export function results(all: readonly Measured[]): string {
  const head = [
    'subject',
    'MB/s',
    'of bare',
    'peak RSS',
    'RSS above idle / in flight',
    'CPU a body',
    'loop delay p99',
    'GET p50 / p99',
    'not ok',
  ];
  const bare = bareOf(all);
  const rows = all.map(({ name, figures }) =>
    figures === null
      ? [name, 'not taken', ...new Array<string>(7).fill('-')]
      : [
          name,
          megabytes(figures.throughput),
          bare === null ? '-' : (figures.throughput / bare).toFixed(2),
          `${megabytes(figures.peakBytes)} MB`,
          `${figures.aboveIdle.toFixed(2)} x`,
          cpuOf(figures),
          `${figures.loopP99Ms.toFixed(0)} ms`,
          `${figures.getP50Ms.toFixed(1)} / ${figures.getP99Ms.toFixed(1)} ms`,
          notOkOf(figures),
        ],
  );
  return table(head, rows);
}

/** A round in one line. */
export function line(name: string, figures: Figures | null): string {
  if (figures === null) return `${name}: not taken`;
  const { throughput, peakBytes, aboveIdle, loopP99Ms, getP99Ms } = figures;
  return (
    `${name}: ${megabytes(throughput)} MB/s, peak ${megabytes(peakBytes)} MB (${aboveIdle.toFixed(2)} x), ` +
    `CPU a body ${cpuOf(figures)}, loop p99 ${loopP99Ms.toFixed(0)} ms, GET p99 ${getP99Ms.toFixed(1)} ms, not ok: ${notOkOf(figures)}`
  );
}

export function goals(all: readonly Measured[]): string {
  const rows = all
    .filter(({ id }) => id === 'json' || id === 'redis')
    .flatMap(({ name, figures }) => (figures === null ? [] : goalsOf(name, figures, bareOf(all))));
  return table(['goal', 'subject', 'measured', ''], [...rows, ...multipartGoal(all)]);
}

function goalsOf(name: string, figures: Figures, bare: number | null): string[][] {
  const { aboveIdle, getP99Ms, throughput } = figures;
  const ofBare = bare === null ? null : throughput / bare;
  return [
    [
      `RSS above idle at most ${MAX_ABOVE_IDLE} x the bytes in flight`,
      name,
      `${aboveIdle.toFixed(2)} x`,
      verdict(aboveIdle <= MAX_ABOVE_IDLE),
    ],
    [
      `p99 of the GETs under ${MAX_GET_P99_MS} ms`,
      name,
      `${getP99Ms.toFixed(1)} ms`,
      verdict(getP99Ms < MAX_GET_P99_MS),
    ],
    [
      `throughput at least ${MIN_OF_BARE} of the bare forwarder`,
      name,
      ofBare === null ? 'not measured' : ofBare.toFixed(2),
      verdict(ofBare !== null && ofBare >= MIN_OF_BARE),
    ],
  ];
}

function multipartGoal(all: readonly Measured[]): string[][] {
  const multipart = all.find(({ id }) => id === 'multipart');
  const json = all.find(({ id }) => id === 'json')?.figures;
  if (multipart === undefined || !json) return [];
  const goal = 'multipart: less memory above idle than JSON';
  const { name, figures } = multipart;
  if (figures === null) return [[goal, name, 'not taken', verdict(false)]];
  const measured = `${megabytes(figures.aboveIdleBytes)} MB, JSON ${megabytes(json.aboveIdleBytes)} MB`;
  return [[goal, name, measured, verdict(figures.aboveIdleBytes < json.aboveIdleBytes)]];
}

function bareOf(all: readonly Measured[]): number | null {
  return all.find(({ id }) => id === 'bare')?.figures?.throughput ?? null;
}

function notOkOf({ notOk }: Figures): string {
  const all = Object.entries(notOk).map(([what, count]) => `**${count} NOT ok** (${what})`);
  return all.length === 0 ? '0' : all.join(', ');
}

/** None where no body was answered. */
function cpuOf({ cpuMsABody }: Figures): string {
  return Number.isFinite(cpuMsABody) ? `${cpuMsABody.toFixed(0)} ms` : '-';
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(0);
}

function verdict(met: boolean): string {
  return met ? 'met' : '**NOT met**';
}
