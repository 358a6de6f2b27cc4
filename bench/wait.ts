/**
 * What those who wait cost, and how soon they are told: long polls and event streams at one process, and callbacks to
 * receivers of which a tenth is dead. `npm run bench:wait`; with `--write` into `docs/waiting.md`.
 *
 * The gateways run as they are built, on a private Redis or the embedded store, full of queued avatars; nothing is sent
 * to Modellix. What changes an avatar is a cancel, on Redis sent to another replica. Memory is read from /proc, so this
 * runs on Linux only.
 */

import { rmSync } from 'node:fs';
import { mkdtemp, readFile } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { machine, today, writeBlock } from './page.js';
import { buildScripts } from './process.js';
import { type CallbacksSeen, callbacks } from './wait-callbacks.js';
import { report } from './wait-report.js';
import { type WaitersSeen, waiters } from './wait-waiters.js';

const USAGE = `Usage: npm run bench:wait -- [options]

  --waiters n        two thirds long polls, one third event streams [15000]
  --changes n        avatars that change while they are waited for, 20 a second [300]
  --idle seconds     how long the commands at Redis are counted, twice [30]
  --callbacks n      at 1,000 a minute [1000]
  --only names       of waiters, callbacks [waiters,callbacks]
  --stores names     of redis, embedded [redis,embedded]; callbacks are on the first
  --json             the figures instead of the tables
  --write            into docs/waiting.md

To try it out: --waiters 600 --changes 40 --idle 5 --callbacks 100
`;

const { values } = parseArgs({
  options: {
    waiters: { type: 'string', default: '15000' },
    changes: { type: 'string', default: '300' },
    idle: { type: 'string', default: '30' },
    callbacks: { type: 'string', default: '1000' },
    only: { type: 'string', default: 'waiters,callbacks' },
    stores: { type: 'string', default: 'redis,embedded' },
    json: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  },
});

/** Those that wait for one avatar together: ten long polls and five streams. */
const AN_AVATAR = 15;
const FEED_CHANGES = 15;
/** Besides those who wait. */
const OTHER_FILES = 1_000;

async function bench(dir: string): Promise<void> {
  const scripts = await buildScripts(dir);
  const stores = namesIn(values.stores, ['redis', 'embedded']);
  const only = namesIn(values.only, ['waiters', 'callbacks']);
  const avatars = Math.max(1, Math.round(Number(values.waiters) / AN_AVATAR));
  const changes = Math.min(Number(values.changes), Math.floor(avatars / 2));
  const seen: { waiters: WaitersSeen[]; callbacks: CallbacksSeen[] } = { waiters: [], callbacks: [] };
  for (const [n, store] of stores.entries()) {
    const common = { scripts, dir, store };
    if (only.includes('waiters')) {
      const scene = await inScene(`waiters, ${store}`, (t) =>
        waiters(t, {
          ...common,
          polls: avatars * 10,
          streams: avatars * 5,
          avatars,
          changes,
          feedChanges: Math.min(FEED_CHANGES, avatars - changes),
          idleSeconds: Number(values.idle),
        }),
      );
      seen.waiters.push(scene);
    }
    if (only.includes('callbacks') && n === 0) {
      const scene = await inScene(`callbacks, ${store}`, (t) =>
        callbacks(t, { ...common, callbacks: Number(values.callbacks) }),
      );
      seen.callbacks.push(scene);
    }
  }
  const average = loadavg().map((each) => each.toFixed(1));
  const command = [
    'npm run bench:wait',
    ...(process.argv.length > 2 ? ['--'] : []),
    ...process.argv.slice(2),
  ].join(' ');
  const text = `${report(seen.waiters, seen.callbacks)}

Made by \`${command}\` on ${today()}: ${machine()}; load averages at the end ${average.join(', ')}.`;
  console.log(values.json ? JSON.stringify(seen) : text);
  if (values.write) await writeBlock('waiting.md', 'bench:wait', text);
}

/** @throws {RangeError} for one that is not known */
function namesIn<Name extends string>(list: string, known: readonly Name[]): Name[] {
  return list.split(',').map((name) => {
    const found = known.find((each) => each === name);
    if (found === undefined) throw new RangeError(`${name} is none of ${known.join(', ')}`);
    return found;
  });
}

/** Ends what a scene began. */
async function inScene<T>(
  name: string,
  scene: (t: { teardown(end: () => unknown): unknown }) => Promise<T>,
): Promise<T> {
  const endings: (() => unknown)[] = [];
  const startedAt = performance.now();
  try {
    return await scene({ teardown: (end) => endings.unshift(end) });
  } finally {
    for (const end of endings) await end();
    console.error(`${name}: ${((performance.now() - startedAt) / 1000).toFixed(0)} s`);
  }
}

/** How many files a process of ours may have open. */
async function mayOpen(): Promise<number> {
  const limits = await readFile('/proc/self/limits', 'utf8');
  return Number(/^Max open files\s+\S+\s+(\d+)/m.exec(limits)?.[1] ?? Number.POSITIVE_INFINITY);
}

async function main(): Promise<void> {
  if (process.platform !== 'linux')
    throw new Error('bench:wait reads memory from /proc, which only Linux has');
  const needed = Number(values.waiters) + OTHER_FILES;
  if ((await mayOpen()) < needed)
    throw new Error(`a process has to have ${needed} files open: raise ulimit -n`);
  const dir = await mkdtemp(join(tmpdir(), 'avatar-gateway-wait-'));
  process.once('exit', () => rmSync(dir, { recursive: true, force: true, maxRetries: 5 }));
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
  await bench(dir);
}

if (values.help) console.log(USAGE);
else await main();
