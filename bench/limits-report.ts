/** What was measured of the limits, as Markdown and as a picture. */

import type { Fairness } from './limits-fair.js';
import type { Length } from './limits-length.js';
import type { Seen } from './limits-run.js';
import { distribution, gapsOf, lagsOf, sharesOf, type TaskSpan } from './limits-share.js';
import { table } from './page.js';

const percent = (share: number): string => `${(100 * share).toFixed(2)} %`;
const seconds = (ms: number): string => (Number.isNaN(ms) ? '-' : `${(ms / 1000).toFixed(2)} s`);

/** Violations, and where the time of the slots went. */
export function budget(all: readonly Seen[]): string {
  const head = [
    'replicas',
    'task, median',
    'calls refused',
    'submits refused',
    'most calls in a minute',
    'most tasks',
    'slots in use',
    'finished, not seen',
    'empty',
    'tasks made',
    'still queued',
  ];
  const rows = all.map((seen) => {
    const { scene, over, window, slots, tasks, stillQueued } = seen;
    const shares = sharesOf(tasks, slots, window);
    return [
      String(scene.replicas),
      `${scene.medianMs / 1000} s`,
      String(over.calls),
      String(over.tasks),
      String(Math.max(...Object.values(over.callsPerKey))),
      String(Math.max(...Object.values(over.teams).map(({ peak }) => peak))),
      `**${percent(shares.used)}**`,
      percent(shares.unseen),
      percent(shares.empty),
      String(tasks.length),
      String(stillQueued),
    ];
  });
  return table(head, rows);
}

/** How late ends were seen, and how long a slot then stood empty. */
export function delays(all: readonly Seen[]): string {
  const head = [
    'replicas',
    'task, median',
    'end to poll: mean',
    'p95',
    'longest',
    'poll to next submit: mean',
    'p95',
    'longest',
    'polls a minute',
    '500 accepted in',
  ];
  const rows = all.map(({ scene, tasks, slots, polls, window, acceptedInMs }) => {
    const lag = distribution(lagsOf(tasks));
    const gap = distribution(gapsOf(tasks, slots));
    return [
      String(scene.replicas),
      `${scene.medianMs / 1000} s`,
      ...[lag.mean, lag.p95, lag.max, gap.mean, gap.p95, gap.max].map(seconds),
      ((polls / (window.to - window.from)) * 60_000).toFixed(0),
      seconds(acceptedInMs),
    ];
  });
  return table(head, rows);
}

export function lengths(all: readonly Length[]): string {
  const head = [
    'sigma',
    'task, median',
    'slots in use',
    'in the first 10 minutes',
    'end to poll, mean',
    'calls a minute',
  ];
  const rows = all.map(({ sigma, medianMs, used, usedAtFirst, lagMs, callsPerMinute }) => [
    String(sigma),
    `${medianMs / 1000} s`,
    percent(used),
    percent(usedAtFirst),
    seconds(lagMs),
    callsPerMinute.toFixed(0),
  ]);
  return table(head, rows);
}

export function fair(is: Fairness): string {
  const { held, joined, mostAhead, meanAhead, taskMs } = is;
  return `One caller held ${held}. ${joined} others joined, one after the other, with one avatar each; tasks took ${taskMs.min / 1000} to
${taskMs.max / 1000} s. Of the avatars that others had waiting, ${mostAhead} at most and ${meanAhead.toFixed(2)} in the mean were submitted between the moment
a caller had its answer and its own submit. From its request to its submit went ${seconds(is.waitMeanMs)} in the mean and ${seconds(is.waitMaxMs)} at
most; from one submit to the next, whoever's, ${seconds(is.gapMeanMs)} and ${seconds(is.gapMaxMs)}.`;
}

const WIDTH = 720;
const LEFT = 110;
const RIGHT = 16;
const TOP = 64;
const LANE = 14;
const SCENE = 64;
const COLOURS = { used: '#1b6e53', unseen: '#d93025' } as const;

/** Every slot of every scene over time: a task unfinished, finished and not seen, and nothing. */
export function picture(all: readonly Seen[], caption: string): string {
  const longest = Math.max(...all.map(({ window }) => window.to - window.from));
  const height = TOP + all.length * SCENE + 40;
  const x = (ms: number) => LEFT + (ms / longest) * (WIDTH - LEFT - RIGHT);
  const parts = all.map((seen, i) => {
    const { window, tasks, slots, scene } = seen;
    const top = TOP + i * SCENE;
    const bars = inLanes(tasks, slots).flatMap(({ task, lane }) => {
      const y = top + lane * (LANE + 3);
      const { submittedAt, endsAt, seenAt } = task;
      const bar = (from: number, to: number, kind: keyof typeof COLOURS) => {
        const [a, b] = [x(from - window.from), x(Math.min(to, window.to) - window.from)];
        if (b <= a) return '';
        return `<rect x="${a.toFixed(2)}" y="${y}" width="${(b - a).toFixed(2)}" height="${LANE}" fill="${COLOURS[kind]}"/>`;
      };
      return [bar(submittedAt, endsAt, 'used'), bar(endsAt, seenAt ?? window.to, 'unseen')];
    });
    const { used } = sharesOf(tasks, slots, window);
    const name = `${scene.replicas} replica${scene.replicas === 1 ? '' : 's'}, ${scene.medianMs / 1000} s`;
    return `<text x="8" y="${top + 18}">${name}</text><text x="8" y="${top + 36}">${percent(used)}</text>${bars.join('')}`;
  });
  const minutes = Array.from({ length: Math.floor(longest / 60_000) + 1 }, (_, minute) => minute);
  const axis = minutes.map(
    (minute) => `<text x="${x(minute * 60_000)}" y="${height - 24}" text-anchor="middle">${minute}</text>`,
  );
  const key = (at: number, colour: string, word: string) =>
    `<rect x="${at}" y="36" width="12" height="12" fill="${colour}" stroke="#888"/><text x="${at + 18}" y="46">${word}</text>`;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="sans-serif" font-size="12">
<title>${caption}</title>
<rect width="100%" height="100%" fill="#fff"/>
<text x="8" y="22" font-size="14">${caption}</text>
${key(LEFT, COLOURS.used, 'task unfinished')}${key(LEFT + 150, COLOURS.unseen, 'finished, not seen')}${key(LEFT + 310, '#fff', 'empty')}
${parts.join('\n')}
${axis.join('')}<text x="${WIDTH / 2}" y="${height - 8}" text-anchor="middle">minutes since the first request</text>
</svg>
`;
}

/** Each task in a slot that the one before had left, as far as was seen. */
function inLanes(tasks: readonly TaskSpan[], slots: number) {
  const freeAt = Array.from({ length: slots }, () => 0);
  return [...tasks]
    .sort((a, b) => a.submittedAt - b.submittedAt)
    .map((task) => {
      const lane = freeAt.indexOf(Math.min(...freeAt));
      freeAt[lane] = task.seenAt ?? Number.POSITIVE_INFINITY;
      return { task, lane };
    });
}
