/** What a storm came to, in words. */

import type { Over } from '../simulator/simulator.js';
import { type Book, INVARIANTS, type Invariant } from './book.js';
import type { Callers } from './callers.js';
import type { Chaos } from './chaos.js';
import type { Reckoned } from './quiet.js';
import type { StormOptions } from './storm.js';
import type { Tally } from './tally.js';
import type { Watchers } from './watchers.js';

export interface Result {
  readonly options: StormOptions;
  readonly book: Book;
  readonly callers: Callers;
  readonly watchers: Watchers;
  readonly chaos: Chaos;
  /** How many calls each fault met. */
  readonly faults: ReadonlyMap<string, number>;
  /** How often Modellix pushed, by what it was answered. */
  readonly pushes: ReadonlyMap<string, number>;
  /** How often Modellix refused a call because of its limits. */
  readonly over: Over;
  /** `null` where it was stopped before. */
  readonly reckoned: Reckoned | null;
  readonly logged: Tally;
  readonly tookMs: number;
  /** Logs, ledger and stores, where they were kept. */
  readonly dir: string | null;
}

export function progressOf(ms: number, book: Book, chaos: Chaos): string {
  const sightings = [...book.sightings.values()];
  const final = sightings.filter((one) => one.final !== null).length;
  const kills = chaos.done.of('kill a gateway');
  return `${Math.round(ms / 1000)} s: ${book.asks.size} requests, ${final} of ${sightings.length} avatars final, ${book.ledger.size} submits, ${kills} kills, ${book.violations.length} violations`;
}

export function reportOf(result: Result): string {
  const { options, book, callers, watchers, chaos, faults, pushes, over, reckoned, logged, dir } = result;
  const { seed, store, gateways, durationMs } = options;
  const told = [...book.asks.values()];
  const submits = [...book.ledger.values()].reduce((sum, entries) => sum + entries.length, 0);
  const met = [...faults.values()].reduce((sum, count) => sum + count, 0);
  const ended = `${(durationMs / 60_000).toFixed(1)} minutes planned, ${(result.tookMs / 60_000).toFixed(1)} with the quiet after it`;
  return [
    `Storm on ${store}, ${gateways} gateway(s), seed ${seed}: ${ended}`,
    ...section('Callers', [
      ['requests meant', book.asks.size],
      ...rows('', callers.turns.counts),
      ['told 202', told.filter(({ ids }) => ids.size > 0).length],
      ['refused for good', told.filter(({ refused }) => refused !== null).length],
      ['left without a word', told.filter((ask) => ask.ids.size === 0 && ask.refused === null).length],
      ...rows('answers: ', callers.answers.counts),
      ['looks at an avatar', watchers.looks],
    ]),
    ...section('Avatars in the store', statuses(result)),
    ...section('Done to the processes', rows('', chaos.done.counts)),
    ...section(
      `Faults at Modellix (${met})`,
      rows(
        '',
        [...faults].filter(([, count]) => count > 0),
      ),
    ),
    ...section('Pushes of Modellix, by what they were answered', rows('', pushes)),
    ...section('Over the limits of Modellix', [
      ['calls refused for their rate', over.calls],
      ['submits refused for unfinished tasks', over.tasks],
      ...rows('most calls in a minute: ', Object.entries(over.callsPerKey)),
    ]),
    ...section('Notable in the logs', rows('', logged.counts)),
    ...section('Ledger', [
      ['submits', submits],
      ['left unconfirmed by a late answer', Math.max(0, book.leftUnconfirmed - (reckoned?.resolved ?? 0))],
      ['left unconfirmed by an operator', reckoned?.resolved ?? 0],
    ]),
    ...(book.excused === 0
      ? []
      : [`Not counted, because the store came back older than what it is about: ${book.excused}`, '']),
    'Invariants',
    ...(Object.keys(INVARIANTS) as Invariant[]).map((name) => {
      const red = book.violations.filter(({ invariant }) => invariant === name);
      const count = `${red.length} violations in ${book.checks[name]} checks`;
      return `  ${name.padEnd(8)} ${INVARIANTS[name].padEnd(76)} ${count}`;
    }),
    ...book.violations.map(({ invariant, detail }) => `VIOLATION ${invariant}: ${detail}`),
    `seed ${seed}`,
    ...(dir === null ? [] : [`logs, ledger and stores: ${dir}`]),
  ].join('\n');
}

function statuses({ book, reckoned }: Result): [string, number][] {
  if (reckoned === null) return [['not counted: stopped before', 0]];
  const byStatus = new Map<string, number>();
  for (const { status } of reckoned.stored) byStatus.set(status, (byStatus.get(status) ?? 0) + 1);
  const untold = reckoned.stored.filter(({ prompt }) => book.asks.get(prompt ?? '')?.ids.size === 0);
  const denied = untold.filter(({ prompt }) => book.asks.get(prompt ?? '')?.nothingMade);
  return [
    ['all', reckoned.stored.length],
    ...rows('', byStatus),
    ['nobody was told of', untold.length],
    ['of these, the caller was told that nothing was made', denied.length],
  ];
}

function rows(prefix: string, counts: Iterable<[string, number]>): [string, number][] {
  return [...counts]
    .map(([name, count]): [string, number] => [prefix + (name || 'none'), count])
    .sort(([a], [b]) => (a < b ? -1 : 1));
}

function section(title: string, lines: readonly [string, number][]): string[] {
  return [title, ...lines.map(([name, count]) => `  ${name.padEnd(70)} ${String(count).padStart(8)}`), ''];
}
