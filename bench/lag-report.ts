/** What was measured, as Markdown tables and as a picture. */

import { bound, type Comparison, type tradeOff } from './lag-compare.js';
import type { Measured } from './lag-world.js';
import { table } from './page.js';

const seconds = (ms: number): string =>
  ms < 100_000 ? (ms / 1000).toFixed(1) : String(Math.round(ms / 1000));
const times = (a: number, b: number): string => `${(a / b).toFixed(2)} x`;

/** The gateway beside the best fixed policy, and what theory leaves. */
export function summary(all: readonly Comparison[]): string {
  const head = [
    'sigma',
    'unfinished tasks',
    'best fixed',
    'its lag, polls',
    'ours: lag, polls',
    'lag at the same calls',
    'calls at the same lag',
    'bound',
  ];
  const pair = ({ lagMs, pollsPerTask }: Measured) => `${seconds(lagMs)} s, ${pollsPerTask.toFixed(1)}`;
  const rows = all.map(({ scene, best, ours, sameCalls, sameLag }) => {
    const its = best.measured;
    const lag = times((sameCalls ?? ours).lagMs, its.lagMs);
    const unused = sameCalls !== null && sameCalls.pollsPerTask < 0.97 * its.pollsPerTask;
    return [
      String(scene.sigma),
      String(scene.tasks),
      best.name,
      pair(its),
      pair(ours),
      unused ? `${lag}, with ${times(sameCalls.pollsPerTask, its.pollsPerTask)} the polls` : lag,
      sameLag === null ? '-' : times(sameLag.pollsPerTask, its.pollsPerTask),
      sameCalls === null ? '-' : times(bound(scene.sigma), 1),
    ];
  });
  return table(head, rows);
}

/** Every policy in every scene. */
export function details(all: readonly Comparison[]): string {
  const head = [
    'sigma',
    'unfinished tasks',
    'policy',
    'lag, mean',
    'lag, p95',
    'polls a task',
    'calls a minute',
  ];
  const rows = all.flatMap(({ scene, fixed, ours }) =>
    [...fixed, { name: '**ours**', measured: ours }].map(({ name, measured }) => [
      String(scene.sigma),
      String(scene.tasks),
      name,
      `${seconds(measured.lagMs)} s`,
      `${seconds(measured.lagP95Ms)} s`,
      measured.pollsPerTask.toFixed(1),
      measured.callsPerMinute.toFixed(0),
    ]),
  );
  return table(head, rows);
}

const WIDTH = 640;
const HEIGHT = 400;
const MARGIN = 56;

/** Lag against polls a task, one line for fixed pauses and one for ours. */
export function picture({ fixed, ours }: ReturnType<typeof tradeOff>, caption: string): string {
  const points = [...fixed, ...ours];
  const mostPolls = Math.ceil(Math.max(...points.map(({ polls }) => polls)) / 5) * 5;
  const mostLag = Math.ceil(Math.max(...points.map(({ lagSeconds }) => lagSeconds)) / 5) * 5;
  const x = (polls: number) => MARGIN + (polls / mostPolls) * (WIDTH - 2 * MARGIN);
  const y = (lag: number) => HEIGHT - MARGIN - (lag / mostLag) * (HEIGHT - 2 * MARGIN);
  const ticks = (most: number) => Array.from({ length: most / 5 + 1 }, (_, i) => 5 * i);
  const curve = (of: typeof fixed, colour: string, name: string, labelLag: number) => {
    const path = of.map(({ polls, lagSeconds }) => `${x(polls).toFixed(1)},${y(lagSeconds).toFixed(1)}`);
    const dots = path.map((at) => {
      const [cx, cy] = at.split(',');
      return `<circle cx="${cx}" cy="${cy}" r="3" fill="${colour}"/>`;
    });
    return `<polyline points="${path.join(' ')}" fill="none" stroke="${colour}" stroke-width="2"/>${dots.join('')}
<text x="${x(mostPolls * 0.55)}" y="${y(labelLag)}" fill="${colour}">${name}</text>`;
  };
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12">
<title>${caption}</title>
<rect width="100%" height="100%" fill="#fff"/>
<text x="${MARGIN}" y="24" font-size="14">${caption}</text>
<path d="M${MARGIN} ${MARGIN}V${HEIGHT - MARGIN}H${WIDTH - MARGIN}" fill="none" stroke="#444"/>
${ticks(mostPolls)
  .map((n) => `<text x="${x(n)}" y="${HEIGHT - MARGIN + 18}" text-anchor="middle">${n}</text>`)
  .join('')}
${ticks(mostLag)
  .map((n) => `<text x="${MARGIN - 8}" y="${y(n) + 4}" text-anchor="end">${n}</text>`)
  .join('')}
<text x="${WIDTH / 2}" y="${HEIGHT - 14}" text-anchor="middle">polls a task</text>
<text x="16" y="${HEIGHT / 2}" text-anchor="middle" transform="rotate(-90 16 ${HEIGHT / 2})">mean lag, seconds</text>
${curve(fixed, '#b3261e', 'fixed pauses', mostLag * 0.8)}
${curve(ours, '#1a5fb4', 'learned', mostLag * 0.7)}
</svg>
`;
}
