/** What was measured, as Markdown. */

import { table } from '../page.js';
import type { Costs } from './costs.js';
import { NAMES } from './gateway.js';
import { aboveMs, type Measured, middle, type Ratio, ratio } from './ratios.js';
import type { Case, Subject } from './subjects.js';

/** What a case is to its page. */
export interface CaseResult {
  readonly kase: Pick<Case, 'id' | 'name' | 'beside' | 'above'> & {
    readonly subjects: readonly Pick<Subject, 'id' | 'name' | 'version'>[];
  };
  readonly measured: readonly Measured[];
}

export function page(results: readonly CaseResult[], costs: readonly Costs[], footnote: string): string {
  const parts = results.map((result) => `### ${result.kase.name}\n\n${caseTable(result)}`);
  if (costs.length > 0) parts.push(`### One process, one avatar\n\n${costsTable(costs)}`);
  return [...parts, footnote].join('\n\n');
}

const ms = (value: number): string => `${value.toFixed(2)} ms`;
const megabytes = (bytes: number): string => (bytes === 0 ? '-' : `${(bytes / 1e6).toFixed(0)} MB`);
const orDash = (value: number, words: (value: number) => string): string =>
  value === 0 ? '-' : words(value);

/** The median, and between which values the turns were. */
function factor(value: Ratio | null): string {
  if (value === null) return '-';
  const [median, least, most] = [value.median, value.least, value.most].map((each) => each.toFixed(2));
  return least === most ? `**${median}**` : `**${median}** (${least} to ${most})`;
}

export function connectionsOf(measured: readonly Measured[]): number[] {
  return [...new Set(measured.map(({ connections }) => connections))].toSorted((a, b) => b - a);
}

function caseTable({ kase, measured }: CaseResult): string {
  const nameOf = (id: string) => kase.subjects.find((each) => each.id === id)?.name ?? id;
  const head = [
    'connections',
    'what',
    ...kase.beside.map((id) => `x ${nameOf(id)}`),
    'a second',
    'p50',
    'p99',
    ...(kase.above === null ? [] : [`p50 above ${nameOf(kase.above)}`]),
    'processor time each',
    'and of Redis',
    'of its core',
    'memory',
  ];
  const rows = connectionsOf(measured).flatMap((connections) =>
    kase.subjects.flatMap(({ id, name }) => {
      const its = middle(measured, id, connections);
      if (its === null) return [];
      const above =
        kase.above === null || id === 'rig' ? null : aboveMs(measured, id, kase.above, connections);
      return [
        [
          String(connections),
          name,
          ...kase.beside.map((to) => factor(ratio(measured, id, to, connections))),
          its.perSecond.toFixed(0),
          ms(its.p50Ms),
          ms(its.p99Ms),
          ...(kase.above === null ? [] : [above === null ? '-' : ms(above)]),
          orDash(its.cpuMs, (value) => `${(1000 * value).toFixed(0)} us`),
          orDash(its.storeCpuMs, (value) => `${(1000 * value).toFixed(0)} us`),
          orDash(its.busy, (value) => `${(100 * value).toFixed(0)} %`),
          megabytes(its.rssBytes),
        ],
      ];
    }),
  );
  return table(head, rows);
}

function costsTable(all: readonly Costs[]): string {
  const counted = (value: number | null | undefined): string => (value == null ? '-' : value.toFixed(1));
  const rows = [
    ['start to ready', ...all.map(({ readyMs }) => `${(readyMs / 1000).toFixed(2)} s`)],
    ['memory at rest', ...all.map(({ idleBytes }) => megabytes(idleBytes))],
    [
      'commands to Redis for one avatar, from POST to `pending`',
      ...all.map((c) => counted(c.writes?.commands)),
    ],
    ['durable writes for it', ...all.map((c) => counted(c.writes?.durable))],
    [
      'one finished avatar in Redis',
      ...all.map(({ avatarBytes }) => (avatarBytes === null ? '-' : `${avatarBytes.toFixed(0)} bytes`)),
    ],
  ];
  return table(['', ...all.map(({ store }) => NAMES[store])], rows);
}
