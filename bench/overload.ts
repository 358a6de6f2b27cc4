/**
 * How ordinary callers fare while others attack: slow senders, idle connections, bodies that are too large, bad
 * requests, one caller who claims all the memory for bodies or opens all the streams it can.
 * `npm run bench:overload`; with `--write` into `docs/hardening.md`.
 *
 * The gateway, what stands for Modellix, the ordinary callers and the attackers are a process each, all on this machine.
 * Before each attack it is quiet for as long as the attack is measured. Memory is read from /proc, so this runs on
 * Linux only.
 */

import { createHash } from 'node:crypto';
import { rmSync } from 'node:fs';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { connectionsWithin, maxOpenFiles } from '../src/disk/open-files.js';
import {
  ATTACKS,
  type AttackName,
  BODY_MEMORY_BYTES,
  KEYS,
  type OverloadSaid,
  type OverloadTold,
  type Seen,
} from './overload-messages.js';
import { startNginx } from './overload-nginx.js';
import { type Overload, report } from './overload-report.js';
import { machine, today, writeBlock } from './page.js';
import {
  buildScripts,
  forgetPeak,
  processorTime,
  type Running,
  residentBytes,
  type Scripts,
  start,
  startCommand,
} from './process.js';

const USAGE = `Usage: npm run bench:overload -- [options]

  --seconds n    how long is measured, quiet and under each attack [20]
  --only names   of ${ATTACKS.join(', ')} [all]
  --idle n       connections that carry nothing, and streams that are asked for [10000]
  --from-callers attackers have the address of ordinary callers, as behind a proxy
  --nginx path   with this nginx in front, which limits the connections of each address
  --write        into docs/hardening.md

To try it out: --seconds 5 --idle 500
`;

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '20' },
    only: { type: 'string', default: ATTACKS.join(',') },
    idle: { type: 'string', default: '10000' },
    'from-callers': { type: 'boolean', default: false },
    nginx: { type: 'string' },
    write: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  },
});

type Process = Running<OverloadTold, OverloadSaid>;

const MEASURE_MS = Number(values.seconds) * 1000;
const WARM_UP_MS = 5_000;
/** Until what an attack left behind is gone. */
const REST_MS = 3_000;
const CONNECTIONS: Readonly<Record<AttackName, number>> = {
  slowloris: 1_000,
  idle: Number(values.idle),
  oversized: 1_000,
  nonsense: 0,
  'slow-uploads': 12,
  streams: Number(values.idle),
};

interface Measured {
  readonly seen: Seen;
  readonly processorShare: number;
}

async function measured(gateway: Process, callers: Process): Promise<Measured> {
  callers.tell({ kind: 'measure' });
  await callers.hear('measuring');
  gateway.tell({ kind: 'reset' });
  await gateway.hear('reset');
  await sleep(MEASURE_MS);
  gateway.tell({ kind: 'read' });
  const { cpuMs } = await gateway.hear('figures');
  callers.tell({ kind: 'tell' });
  const { seen } = await callers.hear('told');
  return { seen, processorShare: cpuMs / MEASURE_MS };
}

async function overload(
  name: AttackName,
  scripts: Scripts,
  url: string,
  gateway: Process,
  callers: Process,
): Promise<Overload> {
  await sleep(REST_MS);
  const quiet = await measured(gateway, callers);
  const before = await residentBytes(gateway.pid, 'now');
  await forgetPeak(gateway.pid);
  const attacker: Process = start(scripts.bench('overload-attacker'));
  try {
    attacker.tell({
      kind: 'attack',
      name,
      port: Number(new URL(url).port),
      connections: CONNECTIONS[name],
      fromCallers: values['from-callers'],
    });
    await attacker.hear('attacking');
    const underAttack = await measured(gateway, callers);
    const peak = await residentBytes(gateway.pid, 'peak');
    attacker.tell({ kind: 'end' });
    const { fate } = await attacker.hear('ended');
    console.error(`${name}: measured`);
    return {
      name,
      quiet: quiet.seen,
      underAttack: underAttack.seen,
      fate,
      rssBytes: { before, peak },
      processorShare: { quiet: quiet.processorShare, underAttack: underAttack.processorShare },
    };
  } finally {
    await attacker.kill();
  }
}

async function bench(dir: string): Promise<void> {
  const scripts = await buildScripts(dir);
  const processes: Pick<Process, 'kill'>[] = [];
  const started = (...args: Parameters<typeof start>): Process => {
    const process: Process = start(...args);
    processes.push(process);
    return process;
  };
  try {
    const begun = await processorTime();
    const preload = scripts.bench('probe');
    const upstream = await started(scripts.bench('upstream'), { preload }).hear('listening');
    const gateway = started(scripts.gateway, {
      preload,
      env: {
        NODE_OPTIONS: (await startCommand()).flags.join(' '),
        PORT: '0',
        DATA_DIR: join(dir, 'data'),
        CALLERS_FILE: await writeCallers(dir),
        TRUSTED_PROXIES: '127.0.0.1/32',
        MEDIA_MEMORY_MEGABYTES: String(BODY_MEMORY_BYTES / 1e6),
        // So that the streams that are asked for are more than one caller may have.
        MAX_WAITERS: values.idle,
        MODELLIX_API_KEY: 'bench-key',
        MODELLIX_BASE_URL: upstream.url,
        MODELLIX_CONCURRENCY: '10000',
        MODELLIX_CALLS_PER_MINUTE: '100000',
        POLL_MIN_SECONDS: '300',
        POLL_MAX_SECONDS: '600',
        RATE_LIMIT_PER_MINUTE: '1000000',
      },
    });
    const { url: direct } = await gateway.hear('listening');
    const nginx = values.nginx === undefined ? null : await startNginx(values.nginx, dir, direct);
    if (nginx !== null) processes.push(nginx);
    const { url } = nginx ?? { url: direct };
    const made = await fetch(`${url}/avatars`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${KEYS.shop}` },
      body: JSON.stringify({ image: 'https://example.com/face.jpg', audio_id: 'audio-1' }),
    });
    const { id } = (await made.json()) as { readonly id: string };
    const callers = started(scripts.bench('overload-callers'));
    callers.tell({ kind: 'call', url, path: `/avatars/${id}` });
    await sleep(WARM_UP_MS);

    const overloads: Overload[] = [];
    for (const name of ATTACKS.filter((each) => values.only.split(',').includes(each))) {
      overloads.push(await overload(name, scripts, url, gateway, callers));
    }
    const { total, stolen } = await processorTime();
    const stolenShare = (stolen - begun.stolen) / (total - begun.total);
    const average = loadavg().map((each) => each.toFixed(1));
    const command = [
      'npm run bench:overload',
      ...(process.argv.length > 2 ? ['--'] : []),
      ...process.argv.slice(2).map((word) => (word === values.nginx ? basename(word) : word)),
    ];
    const text = `${report(overloads)}

Made by \`${command.join(' ')}\` on ${today()}: ${machine()}, shared by all processes; ${values.seconds} s each, 100 calls a second;
load averages at the end ${average.join(', ')}; ${(stolenShare * 100).toFixed(1)} % of the processors' time went to others on the same host.`;
    console.log(text);
    const block = values.nginx !== undefined ? ' --nginx' : values['from-callers'] ? ' --from-callers' : '';
    if (values.write) await writeBlock('hardening.md', `bench:overload${block}`, text);
  } finally {
    await Promise.all(processes.map((each) => each.kill()));
  }
}

async function writeCallers(dir: string): Promise<string> {
  const file = join(dir, 'callers.json');
  const callers = Object.entries(KEYS).map(([name, key]) => ({
    name,
    key_sha256: createHash('sha256').update(key).digest('hex'),
  }));
  await writeFile(file, JSON.stringify({ callers }), { mode: 0o600 });
  return file;
}

async function main(): Promise<void> {
  if (process.platform !== 'linux')
    throw new Error('bench:overload reads memory from /proc, which only Linux has');
  const needed = Number(values.idle) + 1_000;
  if (connectionsWithin(needed, maxOpenFiles()) < needed) {
    throw new Error(
      `the gateway could not hold ${values.idle} connections here: raise ulimit -n, or say --idle`,
    );
  }
  const dir = await mkdtemp(join(tmpdir(), 'avatar-gateway-overload-'));
  process.once('exit', () => rmSync(dir, { recursive: true, force: true, maxRetries: 5 }));
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
  await bench(dir);
}

if (values.help) console.log(USAGE);
else await main();
