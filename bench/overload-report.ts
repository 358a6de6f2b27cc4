/** What was measured under attack, as Markdown, and whether others were served as ever. */

import { type AttackName, type Fate, KINDS, type Seen } from './overload-messages.js';
import { table } from './page.js';

/** The p99 of others may be so many times that of quiet. */
const MAX_RATIO: Readonly<Record<AttackName, number>> = {
  slowloris: 3,
  idle: 3,
  oversized: 3,
  nonsense: 3,
  'slow-uploads': 2,
  streams: 2,
};

export interface Overload {
  readonly name: AttackName;
  readonly quiet: Seen;
  readonly underAttack: Seen;
  readonly fate: Fate;
  readonly rssBytes: { readonly before: number; readonly peak: number };
  /** Of one processor, in the measured time. */
  readonly processorShare: { readonly quiet: number; readonly underAttack: number };
}

const WHAT: Readonly<Record<AttackName, string>> = {
  slowloris: 'headers and bodies, a byte a second',
  idle: 'connections that carry nothing, half of them after one request',
  oversized: 'bodies that are too large, all at once every 5 s: half say so, half have no length',
  nonsense: 'bad requests, 200 a second',
  'slow-uploads': 'one caller: 12 bodies that claim all the memory there is for bodies, 8 kB a second each',
  streams: 'one caller: all the event streams it can open, and 20 more asked for a second',
};

export function report(overloads: readonly Overload[]): string {
  return [others(overloads), attackers(overloads)].join('\n\n');
}

function others(overloads: readonly Overload[]): string {
  const head = [
    'attack',
    'others',
    'calls',
    'quiet: p50',
    'p99',
    'under attack: p50',
    'p99',
    'p99, times quiet',
    '',
  ];
  const rows = overloads.flatMap(({ name, quiet, underAttack }) => [
    rowOf(name, '**all**', all(quiet), all(underAttack)),
    ...KINDS.map((kind) => rowOf(name, kind, quiet.tookMs[kind], underAttack.tookMs[kind])),
  ]);
  const odd = overloads.flatMap(({ name, quiet, underAttack }) =>
    [quiet, underAttack].flatMap(({ notOk }) =>
      Object.entries(notOk).map(([what, count]) => `${name}: ${count} x ${what}`),
    ),
  );
  return `${table(head, rows)}

Others that were **not** served: ${odd.length === 0 ? 'none' : odd.join(', ')}.`;
}

function all({ tookMs }: Seen): number[] {
  return KINDS.flatMap((kind) => tookMs[kind]);
}

function rowOf(
  name: AttackName,
  kind: string,
  quiet: readonly number[],
  attacked: readonly number[],
): string[] {
  const ratio = quantile(attacked, 0.99) / quantile(quiet, 0.99);
  return [
    name,
    kind,
    String(attacked.length),
    ms(quantile(quiet, 0.5)),
    ms(quantile(quiet, 0.99)),
    ms(quantile(attacked, 0.5)),
    ms(quantile(attacked, 0.99)),
    `**${ratio.toFixed(1)}**`,
    `${ratio <= MAX_RATIO[name] ? 'met' : '**NOT met**'} (${MAX_RATIO[name]})`,
  ];
}

function attackers(overloads: readonly Overload[]): string {
  const head = [
    'attack',
    'what',
    'held at most',
    'made',
    'what came of them',
    'closed after, median',
    'RSS before',
    'at most',
    'processor, quiet',
    'under attack',
  ];
  const rows = overloads.map(({ name, fate, rssBytes, processorShare }) => [
    name,
    WHAT[name],
    String(fate.heldAtMost),
    String(fate.connections),
    Object.entries(fate.outcomes)
      .map(([what, count]) => `${count} x ${what}`)
      .join(', ') || '-',
    fate.closedAfterMs === null ? '-' : `${(fate.closedAfterMs / 1000).toFixed(1)} s`,
    megabytes(rssBytes.before),
    megabytes(rssBytes.peak),
    percent(processorShare.quiet),
    percent(processorShare.underAttack),
  ]);
  return table(head, rows);
}

/** The smallest one that so large a share is not above. */
function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;
}

function ms(value: number): string {
  return `${value.toFixed(value < 10 ? 1 : 0)} ms`;
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(0)} MB`;
}

function percent(share: number): string {
  return `${(share * 100).toFixed(0)} %`;
}
