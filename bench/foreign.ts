/**
 * Whether the time that a read takes tells another's avatar from one that is not there: reads of an unknown, a foreign
 * and a malformed id by turns, in the store and over HTTP, on both stores. Each line has median and p99, and how far the
 * median is from that of the unknown id, with the interval in which a bootstrap has 95 % of its differences.
 * `npm run bench:foreign -- [reads per kind]`.
 */

import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSqliteStore } from '../src/store/sqlite/sqlite.js';
import type { Store } from '../src/store/store.js';
import { openConnected } from '../test/store/fixtures-redis.js';
import { startApp } from '../test/support/app.js';
import { startRedis } from '../test/support/redis.js';
import { create, queuedAvatar } from './scale-avatars.js';

const READS = Number(process.argv[2] ?? 5_000);
const AVATARS = 200;
const WARM_UP = 200;
const RESAMPLES = 1_000;
const CALLER = 'anonymous';

const KINDS = ['unknown', 'foreign', 'malformed'] as const;
type Kind = (typeof KINDS)[number];

const end: (() => unknown)[] = [];
const teardown = { teardown: (fn: () => unknown) => void end.unshift(fn) };

/** In microseconds; each kind has as many, in another order each time. */
async function measure(read: (id: string) => Promise<unknown>, foreign: readonly string[]) {
  const took: Record<Kind, number[]> = { unknown: [], foreign: [], malformed: [] };
  const idOf = (kind: Kind, n: number) => {
    if (kind === 'foreign') return foreign[n % foreign.length] ?? '';
    return kind === 'unknown' ? `av_${randomUUID().replaceAll('-', '')}` : `nonsense-${n}`;
  };
  for (let n = -WARM_UP; n < READS; n++) {
    for (const kind of KINDS.toSorted(() => Math.random() - 0.5)) {
      const id = idOf(kind, n + WARM_UP);
      const begin = process.hrtime.bigint();
      await read(id);
      const micros = Number(process.hrtime.bigint() - begin) / 1_000;
      if (n >= 0) took[kind].push(micros);
    }
  }
  return took;
}

const sorted = (values: readonly number[]) => values.toSorted((a, b) => a - b);
const quantile = (values: readonly number[], q: number) =>
  values[Math.floor(values.length * q)] ?? Number.NaN;
const median = (values: readonly number[]) => quantile(sorted(values), 0.5);

/** Between which two 95 % of the differences of medians of resamples are. */
function interval(one: readonly number[], other: readonly number[]): [number, number] {
  const again = (values: readonly number[]) =>
    median(values.map(() => values[Math.floor(Math.random() * values.length)] ?? 0));
  const differences = sorted(Array.from({ length: RESAMPLES }, () => again(one) - again(other)));
  return [quantile(differences, 0.025), quantile(differences, 0.975)];
}

function report(name: string, took: Readonly<Record<Kind, readonly number[]>>): void {
  for (const kind of KINDS) {
    const values = sorted(took[kind]);
    const figures = [0.5, 0.99].map((q) => quantile(values, q).toFixed(1).padStart(9)).join('');
    const line = `${name.padEnd(16)} ${kind.padEnd(10)}${figures}`;
    if (kind === 'unknown') {
      console.log(line);
      continue;
    }
    const [from, to] = interval(took[kind], took.unknown);
    const difference = (median(took[kind]) - median(took.unknown)).toFixed(2).padStart(8);
    const isTold = from > 0 || to < 0 ? 'can be told apart' : 'cannot be told apart';
    console.log(`${line} ${difference} (${from.toFixed(2)} to ${to.toFixed(2)})  ${isTold}`);
  }
}

async function fill(store: Store): Promise<string[]> {
  const ids: string[] = [];
  for (let n = 0; n < AVATARS; n++) ids.push((await create(store, queuedAvatar(n))).avatar.id);
  return ids;
}

/** Requests on one connection, one behind the other: a client of its own would add more than there is to see. */
async function reader(url: string): Promise<(id: string) => Promise<void>> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname).setNoDelay(true);
  end.unshift(() => socket.destroy());
  let answered = (): void => undefined;
  let text = '';
  socket.on('data', (bytes) => {
    text += bytes;
    const [head = '', body] = text.split('\r\n\r\n');
    const length = Number(/content-length: (\d+)/i.exec(head)?.[1]);
    if (body === undefined || Buffer.byteLength(body) < length) return;
    if (!head.startsWith('HTTP/1.1 404')) throw new Error(head);
    text = '';
    answered();
  });
  return (id) =>
    new Promise((resolve) => {
      answered = resolve;
      socket.write(`GET /avatars/${id} HTTP/1.1\r\nHost: ${hostname}\r\nX-Request-Id: bench\r\n\r\n`);
    });
}

/** Fills a store, reads from it, then from a gateway that has it. */
async function compare(
  name: string,
  open: () => Promise<Store>,
  gateway: () => Promise<{ url: string }>,
): Promise<void> {
  const store = await open();
  const foreign = await fill(store);
  report(`${name}, store`, await measure((id) => store.find(CALLER, id), foreign));
  await store.close();
  report(`${name}, HTTP`, await measure(await reader((await gateway()).url), foreign));
}

console.log(`${READS} reads of each; microseconds\n`);
console.log(`${''.padEnd(27)}   median      p99 difference of medians`);
try {
  const dataDir = await mkdtemp(join(tmpdir(), 'avatar-gateway-bench-'));
  end.unshift(() => rm(dataDir, { recursive: true, force: true }));
  // What is queued is not to be submitted meanwhile.
  const still = { limits: { tasks: 1, callsPerMinute: 1 } };
  await compare(
    'embedded',
    () => openSqliteStore({ dir: join(dataDir, 'tasks') }),
    () => startApp(teardown, { ...still, dataDir }),
  );
  const { url } = await startRedis(teardown);
  await compare(
    'Redis',
    () => openConnected(teardown, { url, keyPrefix: 'bench' }),
    () => startApp(teardown, { ...still, redis: { url, prefix: 'bench' } }),
  );
} finally {
  for (const fn of end) await fn();
}
