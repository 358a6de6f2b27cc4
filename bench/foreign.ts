/**
 * Whether the time that a read takes tells another caller's avatar from one that is not there: reads of an unknown, a foreign
 * and a malformed id by turns, over HTTP, on both stores. Each line has median and p99, and how far the median is from that of
 * the unknown id, with the interval in which a bootstrap has 95 % of its differences. `npm run bench:foreign -- [reads per kind]`.
 */

import { createHash, randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import type { Teardown } from '../test/support/redis-process.js';
import { makeAvatar, startGateway } from './speed/gateway.js';
import { median, quantile } from './speed/ratios.js';
import { startWorld, withTeardown } from './speed/rig.js';

const READS = Number(process.argv[2] ?? 5_000);
const AVATARS = 200;
const WARM_UP = 200;
const RESAMPLES = 1_000;

const KEYS = { owner: 'bench-owner-key-0123456789abcdef', reader: 'bench-reader-key-0123456789abcdef' };
const KINDS = ['unknown', 'foreign', 'malformed'] as const;
type Kind = (typeof KINDS)[number];

/** In microseconds; each kind has as many, in another order each time. */
async function measure(read: (path: string) => Promise<unknown>, foreign: readonly string[]) {
  const took: Record<Kind, number[]> = { unknown: [], foreign: [], malformed: [] };
  const pathOf = (kind: Kind, n: number) => {
    if (kind === 'foreign') return foreign[n % foreign.length] ?? '';
    return `/avatars/${kind === 'unknown' ? `av_${randomUUID().replaceAll('-', '')}` : `nonsense-${n}`}`;
  };
  for (let n = -WARM_UP; n < READS; n++) {
    for (const kind of KINDS.toSorted(() => Math.random() - 0.5)) {
      const path = pathOf(kind, n + WARM_UP);
      const begin = process.hrtime.bigint();
      await read(path);
      const micros = Number(process.hrtime.bigint() - begin) / 1_000;
      if (n >= 0) took[kind].push(micros);
    }
  }
  return took;
}

/** Between which two 95 % of the differences of medians of resamples are. */
function interval(one: readonly number[], other: readonly number[]): [number, number] {
  const again = (values: readonly number[]) =>
    median(values.map(() => values[Math.floor(Math.random() * values.length)] ?? 0));
  const differences = Float64Array.from({ length: RESAMPLES }, () => again(one) - again(other)).sort();
  return [quantile(differences, 0.025), quantile(differences, 0.975)];
}

function report(name: string, took: Readonly<Record<Kind, readonly number[]>>): void {
  for (const kind of KINDS) {
    const values = Float64Array.from(took[kind]).sort();
    const figures = [0.5, 0.99].map((q) => quantile(values, q).toFixed(1).padStart(9)).join('');
    const line = `${name.padEnd(10)} ${kind.padEnd(10)}${figures}`;
    if (kind === 'unknown') {
      console.log(line);
      continue;
    }
    const [from, to] = interval(took[kind], took.unknown);
    const difference = (median(took[kind]) - median(took.unknown)).toFixed(2).padStart(8);
    const isSeen = from > 0 || to < 0 ? 'can be told apart' : 'cannot be told apart';
    console.log(`${line} ${difference} (${from.toFixed(2)} to ${to.toFixed(2)})  ${isSeen}`);
  }
}

/** Requests on one connection, one behind the other: a client of its own would add more than there is to see. */
function reader(t: Teardown, url: string): (path: string) => Promise<void> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname).setNoDelay(true);
  t.teardown(() => void socket.destroy());
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
  return (path) =>
    new Promise((resolve) => {
      answered = resolve;
      const headers = `Host: ${hostname}\r\nX-Request-Id: bench\r\nAuthorization: Bearer ${KEYS.reader}`;
      socket.write(`GET ${path} HTTP/1.1\r\n${headers}\r\n\r\n`);
    });
}

async function compare(t: Teardown): Promise<void> {
  const world = await startWorld(t);
  const file = join(world.dir, 'callers.json');
  const callers = Object.entries(KEYS).map(([name, key]) => {
    return { name, key_sha256: createHash('sha256').update(key).digest('hex') };
  });
  await writeFile(file, JSON.stringify({ callers }), { mode: 0o600 });
  console.log(`${READS} reads of each; microseconds\n`);
  console.log(`${''.padEnd(21)}   median      p99 difference of medians`);
  for (const [name, store] of [
    ['embedded', 'embedded'],
    ['Redis', 'everysec'],
  ] as const) {
    await withTeardown(async (t) => {
      const gateway = await startGateway(t, world, store, { env: { CALLERS_FILE: file } });
      const foreign: string[] = [];
      const authorization = { authorization: `Bearer ${KEYS.owner}` };
      for (let n = 0; n < AVATARS; n++) foreign.push(await makeAvatar(gateway, authorization));
      report(name, await measure(reader(t, gateway.url), foreign));
    });
  }
}

await withTeardown(compare);
