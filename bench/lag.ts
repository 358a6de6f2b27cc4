/**
 * How late a finished task is seen, and how many calls that takes: the gateway's schedule, learning from what it sees,
 * beside fixed pauses. Simulated time, seeded, no sockets. `npm run bench:lag`; with `--write` into `docs/polling.md`.
 */

import { readFile, writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { compare, tradeOff } from './lag-compare.js';
import { details, picture, summary } from './lag-report.js';
import type { Scene } from './lag-world.js';

const SIGMAS = [0.2, 0.3, 0.5];
/** Fewer tasks take longer to come by. */
const HOURS = { 3: 20, 30: 6, 100: 5, 300: 6, 1000: 8 };
const BEGIN = '<!-- bench:lag -->';
const END = '<!-- /bench:lag -->';

const scenes = SIGMAS.flatMap((sigma) =>
  Object.entries(HOURS).map(
    ([tasks, hours]): Scene => ({ tasks: Number(tasks), sigma, callsPerMinute: 100, hours }),
  ),
);
const begin = performance.now();
const all = scenes.map(compare);
const took = ((performance.now() - begin) / 1000).toFixed(0);
const day = new Date().toISOString().slice(0, 10);
const machine = `${cpus()[0]?.model.trim() ?? 'unknown processor'}, ${cpus().length} cores, Node ${process.version}`;
const text = `${summary(all)}

All of them:

${details(all)}

Made by \`npm run bench:lag -- --write\` in ${took} s on ${day}: ${machine}. Time is simulated and seeded, so another
machine makes the same figures.`;
console.log(text);

if (process.argv.includes('--write')) {
  const page = new URL('../docs/polling.md', import.meta.url);
  const old = await readFile(page, 'utf8');
  const [before, after] = [old.indexOf(BEGIN), old.indexOf(END)];
  if (before < 0 || after < before)
    throw new Error(`docs/polling.md has no place for it: ${BEGIN} ... ${END}`);
  await writeFile(page, `${old.slice(0, before + BEGIN.length)}\n\n${text}\n\n${old.slice(after)}`);
  const curves = tradeOff({ tasks: 30, sigma: 0.3, callsPerMinute: 100, hours: 6 });
  const caption = 'How late a finished task is seen, for how many looks (sigma 0.3)';
  await writeFile(new URL('../docs/polling.svg', import.meta.url), picture(curves, caption));
}
