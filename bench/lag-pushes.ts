/** What pushes are worth: how late a finished task is seen, and for how many calls, with them and without. */

import { fixed, learned } from './lag-policies.js';
import { type Measured, play, type Scene } from './lag-world.js';
import { table } from './page.js';

/** So many unfinished tasks, as many calls a minute as a team has that may have about so many, and hours enough to see some thousand end. */
const SCENES = [
  { tasks: 3, callsPerMinute: 100, hours: 40 },
  { tasks: 30, callsPerMinute: 300, hours: 8 },
  { tasks: 300, callsPerMinute: 1000, hours: 4 },
] as const;
const SIGMA = 0.3;
const LOST_SHARE = 0.05;

/** One row for each policy in each scene. */
export function pushTable(): string {
  const head = ['unfinished tasks', 'calls allowed', 'policy', 'lag, mean', 'lag, p99', 'calls a task'];
  return table(
    head,
    SCENES.flatMap((scene) =>
      rowsOf({ ...scene, sigma: SIGMA }).map(([name, { lagMs, lagP99Ms, callsPerTask }]) => [
        String(scene.tasks),
        `${scene.callsPerMinute} a minute`,
        name,
        milliseconds(lagMs),
        milliseconds(lagP99Ms),
        callsPerTask.toFixed(2),
      ]),
    ),
  );
}

function rowsOf(scene: Scene): [string, Measured][] {
  const ours = () => learned(scene.tasks, scene.callsPerMinute);
  return [
    ...[2, 5, 15].map((s): [string, Measured] => [`polled every ${s} s`, play(scene, fixed(s * 1000))]),
    ['polled as learned', play(scene, ours())],
    ['**pushed**', play({ ...scene, pushes: { lostShare: 0 } }, ours())],
    ['pushed, one in twenty lost', play({ ...scene, pushes: { lostShare: LOST_SHARE } }, ours())],
  ];
}

const milliseconds = (ms: number) => (ms < 10_000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`);
