/**
 * Whether the vendor's limits are kept, how much of them is used, and whether the queue is fair. Real gateways on one
 * Redis beside a simulator, in real time, all scenes at the same time. `npm run bench:limits`; with `--write` into
 * `docs/limits.md`.
 *
 *     --minutes 10  --replicas 1,2,4  --medians 90  --sigma 0.5  --burst 500
 */

import { mkdtemp, rm } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { buildGateway } from '../test/support/build.js';
import { fairness } from './limits-fair.js';
import { byLength } from './limits-length.js';
import { budget, delays, fair, lengths, picture } from './limits-report.js';
import { run } from './limits-run.js';
import { machine, today, writeBlock, writePicture } from './page.js';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    replicas: { type: 'string', default: '1,2,4' },
    medians: { type: 'string', default: '90' },
    sigma: { type: 'string', default: '0.5' },
    burst: { type: 'string', default: '500' },
    write: { type: 'boolean', default: false },
  },
});
const numbers = (list: string) => list.split(',').map(Number);
const [minutes, sigma, burst] = [Number(values.minutes), Number(values.sigma), Number(values.burst)];
const JOINING = 20;
const command = ['npm run bench:limits --', ...process.argv.slice(2)].join(' ');

const dir = await mkdtemp(join(tmpdir(), 'avatar-gateway-limits-'));
try {
  const script = await buildGateway(dir);
  const scenes = numbers(values.medians).flatMap((median) =>
    numbers(values.replicas).map((replicas) => ({
      replicas,
      medianMs: median * 1000,
      sigma,
      burst,
      minutes,
    })),
  );
  const all = await Promise.all(scenes.map((scene) => run(scene, script)));
  const load = loadavg().map((each) => each.toFixed(1));
  const text = `${budget(all)}

${delays(all)}

${fair(await fairness(burst, JOINING))}

In simulated time, by how long tasks take:

${lengths(byLength())}

Made by \`${command}\` on ${today()}: ${machine()}; ${minutes} minutes of real time, a burst of ${burst},
sigma ${sigma}; load averages at the end ${load.join(', ')}.`;
  console.log(text);
  if (values.write) {
    await writeBlock('limits.md', 'bench:limits', text);
    await writePicture(
      'limits.svg',
      picture(all, `Three slots over ${minutes} minutes, after a burst of ${burst}`),
    );
  }
} finally {
  await rm(dir, { recursive: true, force: true });
}
