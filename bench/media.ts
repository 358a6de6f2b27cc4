/**
 * What a body of 20 MB costs: throughput, memory, the delay of the event loop, and how long a GET takes meanwhile, for
 * the gateway beside forwarders that check nothing. `npm run bench:media`; with `--write` into `docs/media.md`.
 *
 *     --seconds 5  --rounds 3  --only bare,json
 *
 * Every subject is a process of its own, started anew for each round, and so are the upstream and the load. The
 * rounds of the subjects take turns. Memory is read from /proc, so this runs on Linux only.
 */

import { rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { Said, Told } from './media-messages.js';
import { type Figures, goals, line, type Measured, medianOf, results } from './media-report.js';
import { SUBJECTS, type Subject, type World } from './media-subjects.js';
import { machine, today, writeBlock } from './page.js';
import { LOOP_RESOLUTION_MS } from './probe-messages.js';
import { buildScripts, forgetPeak, type Running, residentBytes, start } from './process.js';

const CONNECTIONS = 8;
const WARM_UP_MS = 2_000;
/** After a garbage collection, until memory is read. */
const REST_MS = 500;

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '5' },
    rounds: { type: 'string', default: '3' },
    only: { type: 'string', default: SUBJECTS.map(({ id }) => id).join(',') },
    write: { type: 'boolean', default: false },
  },
});
const measureMs = Number(values.seconds) * 1000;
const subjects = SUBJECTS.filter(({ id }) => values.only.split(',').includes(id));

interface Bench extends World {
  readonly load: Running<Told, Said>;
  readonly bodyBytes: Extract<Said, { kind: 'ready' }>['bodyBytes'];
}

/** Starts a subject, measures it, and ends it. */
async function round(bench: Bench, subject: Subject): Promise<Figures | null> {
  const endings: (() => void | Promise<void>)[] = [];
  try {
    const started = await subject.start(bench, { teardown: (end) => endings.unshift(end) });
    if (started === null) return null;
    const { process: running, postUrl, getUrl } = started;
    running.tell({ kind: 'settle' });
    await running.hear('settled');
    await sleep(REST_MS);
    const idleBytes = await residentBytes(running.pid, 'now');
    await forgetPeak(running.pid);

    const { load, bodyBytes } = bench;
    const job = { body: subject.body, postUrl, getUrl, connections: CONNECTIONS };
    load.tell({ kind: 'load', job: { ...job, warmUpMs: WARM_UP_MS, measureMs } });
    await load.hear('measuring');
    running.tell({ kind: 'reset' });
    await running.hear('reset');
    await load.hear('measured');
    running.tell({ kind: 'read' });
    const { loopP99Ms, cpuMs } = await running.hear('figures');
    const { bodies, notOk, getsMs } = (await load.hear('loaded')).loaded;
    const peakBytes = await residentBytes(running.pid, 'peak');
    const sorted = getsMs.toSorted((a, b) => a - b);
    const at = (share: number) => sorted[Math.floor(sorted.length * share)] ?? Number.NaN;
    const bytes = bodyBytes[subject.body];
    return {
      throughput: (bodies * bytes) / (measureMs / 1000),
      peakBytes,
      aboveIdleBytes: peakBytes - idleBytes,
      aboveIdle: (peakBytes - idleBytes) / (CONNECTIONS * bytes),
      cpuMsABody: cpuMs / bodies,
      loopP99Ms,
      getP50Ms: at(0.5),
      getP99Ms: at(0.99),
      notOk,
    };
  } finally {
    for (const end of endings) await end();
  }
}

async function measureAll(bench: Bench): Promise<Measured[]> {
  const rounds = new Map<Subject, Figures[]>(subjects.map((subject) => [subject, []]));
  for (let n = 1; n <= Number(values.rounds); n++) {
    for (const [subject, figures] of rounds) {
      const seen = await round(bench, subject);
      if (seen !== null) figures.push(seen);
      console.log(`round ${n}, ${line(subject.name, seen)}`);
    }
  }
  return Array.from(rounds, ([{ id, name }, figures]) => {
    return { id, name, figures: figures.length === 0 ? null : medianOf(figures) };
  });
}

async function bench(dir: string): Promise<void> {
  const scripts = await buildScripts(dir);
  const upstream = start<Told, Said>(scripts.bench('upstream'), { preload: scripts.bench('probe') });
  const load = start<Told, Said>(scripts.bench('media-load'));
  try {
    const { url: upstreamUrl } = await upstream.hear('listening');
    const { bodyBytes } = await load.hear('ready');
    const all = await measureAll({ scripts, upstreamUrl, dir, load, bodyBytes });
    const average = loadavg().map((each) => each.toFixed(1));
    const megabytes = (bytes: number) => (bytes / 1e6).toFixed(1);
    const command = ['npm run bench:media --', ...process.argv.slice(2)].join(' ');
    const text = `${results(all)}

${goals(all)}

Made by \`${command}\` on ${today()}: ${machine()}; ${CONNECTIONS} connections, bodies of ${megabytes(bodyBytes.json)} MB (JSON) and
${megabytes(bodyBytes.multipart)} MB (multipart), medians of ${values.rounds} rounds of ${values.seconds} s each; load averages at the end ${average.join(', ')}.
The delay of the event loop includes the ${LOOP_RESOLUTION_MS} ms between two of its measurements.`;
    console.log(`\n${text}`);
    if (values.write) await writeBlock('media.md', 'bench:media', text);
  } finally {
    await Promise.all([load.kill(), upstream.kill()]);
  }
}

if (process.platform !== 'linux') {
  console.error('bench:media reads memory from /proc, which only Linux has');
  process.exitCode = 1;
} else {
  const dir = await mkdtemp(join(tmpdir(), 'avatar-gateway-media-'));
  process.once('exit', () => rmSync(dir, { recursive: true, force: true, maxRetries: 5 }));
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
  await bench(dir);
}
