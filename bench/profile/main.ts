/** Where the gateway's processor time goes: `npm run profile -- --help`. */

import { mkdtemp, readdir, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { Teardown } from '../../test/support/redis-process.js';
import { startGateway } from '../speed/gateway.js';
import { startWorld, withTeardown } from '../speed/rig.js';
import { gatewayTarget } from '../speed/subjects.js';
import { loaded } from '../speed/turns.js';
import { type Cost, type CpuProfile, costsIn, type Span } from './read.js';

const USAGE = `npm run profile -- [submit|read|unchanged] [embedded|redis] [options]

Puts load on a gateway, and prints for each of its threads the functions that took the most time by themselves.

  --connections 50
  --seconds 8`;

const { values, positionals } = parseArgs({
  options: {
    help: { type: 'boolean', default: false },
    connections: { type: 'string', default: '50' },
    seconds: { type: 'string', default: '8' },
  },
  allowPositionals: true,
});

const LARGEST = 20;
const WARM_UP = { seconds: 2 };
/** A thread that did less is named and not shown. */
const LEAST_BUSY = 0.01;
const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** As V8 has it: microseconds of the monotonic clock. */
const now = (): number => Number(process.hrtime.bigint() / 1_000n);

async function profile(t: Teardown): Promise<void> {
  const [kind = 'submit', store = 'embedded'] = positionals;
  if (!isIn(['submit', 'read', 'unchanged'] as const, kind) || !isIn(['embedded', 'redis'] as const, store))
    throw new Error(USAGE);
  const world = await startWorld(t);
  const dir = await mkdtemp(join(tmpdir(), 'avatar-gateway-profile-'));
  const gateway = await startGateway(t, world, store === 'redis' ? 'everysec' : store, {
    flags: ['--cpu-prof', '--cpu-prof-dir', dir],
  });
  const target = await gatewayTarget(gateway, kind);
  const connections = Number(values.connections);
  await loaded(world.load, target, connections, WARM_UP);
  const from = now();
  const { perSecond, p50Ms } = await loaded(world.load, target, connections, {
    seconds: Number(values.seconds),
  });
  const span = { from, to: now() };
  // Each thread writes its profile when the process ends.
  await gateway.process.stop();
  console.log(
    `${kind}, ${store}, ${connections} connections: ${perSecond.toFixed(0)}/s, p50 ${p50Ms.toFixed(2)} ms, slower than without a profile`,
  );
  await show(dir, span);
}

async function show(dir: string, span: Span): Promise<void> {
  const files = (await readdir(dir)).toSorted((a, b) => threadOf(a) - threadOf(b));
  for (const file of files) {
    const path = join(dir, file);
    const costs = costsIn(JSON.parse(await readFile(path, 'utf8')) as CpuProfile, span, ROOT);
    const thread = threadOf(file) === 0 ? 'main thread' : `thread ${threadOf(file)}`;
    console.log(`\n${thread}, ${(100 * costs.busy).toFixed(0)} % busy: ${path}`);
    if (costs.busy < LEAST_BUSY) continue;
    console.log(lines(costs.functions.slice(0, LARGEST)));
    console.log(`\n  by package\n${lines(costs.packages.slice(0, LARGEST))}`);
  }
  if (files.length === 0) throw new Error('the gateway wrote no profile');
}

const lines = (costs: readonly Cost[]): string =>
  costs.map(({ what, share }) => `  ${(100 * share).toFixed(1).padStart(5)} %  ${what}`).join('\n');

/** From `CPU.<date>.<time>.<process>.<thread>.<number>.cpuprofile`. */
const threadOf = (file: string): number => Number(file.split('.')[4]);

function isIn<T extends string>(all: readonly T[], one: string): one is T {
  return all.some((each) => each === one);
}

if (values.help) console.log(USAGE);
else await withTeardown(profile);
