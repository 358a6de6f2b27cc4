/**
 * How late a finished task is seen, and how many calls that takes: the gateway's schedule, learning from what it sees,
 * beside fixed pauses. Simulated time, seeded, no sockets. `npm run bench:lag`; with `--write` into `docs/polling.md`.
 */

import { compare, tradeOff } from './lag-compare.js';
import { pushTable } from './lag-pushes.js';
import { details, picture, summary } from './lag-report.js';
import type { Scene } from './lag-world.js';
import { machine, today, writeBlock, writePicture } from './page.js';

const SIGMAS = [0.2, 0.3, 0.5];
/** Fewer tasks take longer to come by. */
const HOURS = { 3: 20, 30: 6, 100: 5, 300: 6, 1000: 8 };

const scenes = SIGMAS.flatMap((sigma) =>
  Object.entries(HOURS).map(
    ([tasks, hours]): Scene => ({ tasks: Number(tasks), sigma, callsPerMinute: 100, hours }),
  ),
);
const begin = performance.now();
const all = scenes.map(compare);
const pushes = pushTable();
const took = ((performance.now() - begin) / 1000).toFixed(0);
const text = `${summary(all)}

All of them:

${details(all)}

Made by \`npm run bench:lag -- --write\` in ${took} s on ${today()}: ${machine()}. Time is simulated and seeded, so another
machine makes the same figures.`;
const pushText = `${pushes}

Made by \`npm run bench:lag -- --write\`, like the tables below.`;
console.log(`${pushText}\n\n${text}`);

if (process.argv.includes('--write')) {
  await writeBlock('polling.md', 'bench:pushes', pushText);
  await writeBlock('polling.md', 'bench:lag', text);
  const curves = tradeOff({ tasks: 30, sigma: 0.3, callsPerMinute: 100, hours: 6 });
  const caption = 'How late a finished task is seen, for how many polls (sigma 0.3)';
  await writePicture('polling.svg', picture(curves, caption));
}
