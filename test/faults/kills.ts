/** Five moments of a submit at which its gateway is killed, and what must become of the avatar after the next start. */

import type { Test } from 'tap';
import { simulatorFor, tempDir } from '../e2e/support.js';
import type { Simulator } from '../simulator/simulator.js';
import { startRedis } from '../support/redis.js';
import { until } from '../support/until.js';
import type { StoreName } from './cases.js';
import { isUnconfirmed, passes, Subject } from './subject.js';
import { inStatus, MADE, wayTo } from './way.js';
import { startProcess, startWorld } from './world.js';

/** Short leases, so that those of the dead end soon. */
const SHORT = {
  MODELLIX_CONNECT_TIMEOUT_SECONDS: '1',
  MODELLIX_SUBMIT_TIMEOUT_SECONDS: '1',
  MODELLIX_QUERY_TIMEOUT_SECONDS: '1',
  SUBMIT_GRACE_SECONDS: '1',
};

interface Moment {
  readonly name: string;
  /** The write that the gateway stops at; without it, the POST. */
  readonly write?: { readonly status: 'submitting' | 'pending'; readonly when: 'before' | 'after' };
  readonly becomes: 'succeeded' | 'unconfirmed';
  /** What reached Modellix in the end, and what it cost. */
  readonly books: readonly [posts: number, tasks: number];
}

const MOMENTS: readonly Moment[] = [
  {
    name: 'before the avatar is written, and its intent with it',
    write: { status: 'submitting', when: 'before' },
    becomes: 'succeeded',
    books: [1, 1],
  },
  {
    name: 'before the POST, the intent written',
    write: { status: 'submitting', when: 'after' },
    becomes: 'unconfirmed',
    books: [0, 0],
  },
  { name: 'during the POST', becomes: 'unconfirmed', books: [1, 1] },
  {
    name: 'after the answer, before it is written',
    write: { status: 'pending', when: 'before' },
    becomes: 'unconfirmed',
    books: [1, 1],
  },
  {
    name: 'after the answer is written',
    write: { status: 'pending', when: 'after' },
    becomes: 'succeeded',
    books: [1, 1],
  },
];

export async function killed(t: Test, store: StoreName): Promise<void> {
  const keys = MOMENTS.map(({ name }) => [apiKeyOf(name), { team: name, valid: true }] as const);
  const simulator = await simulatorFor(t, { settings: { keys: Object.fromEntries(keys) } });
  const port = store === 'redis' ? await warmRedis(t) : null;
  // Two at a time: each starts two gateways.
  const left = MOMENTS.values();
  const inTurn = async () => {
    for (const moment of left) await killedAt(t, moment, simulator, port);
  };
  await Promise.all([inTurn(), inTurn()]);
}

async function killedAt(t: Test, moment: Moment, simulator: Simulator, port: number | null): Promise<void> {
  const { name, write, becomes, books } = moment;
  const key = apiKeyOf(name);
  const env = { ...SHORT, MODELLIX_API_KEY: key, DATA_DIR: await tempDir(t) };
  const { gateway, stopped } = await (port === null
    ? onSqlite(t, simulator, env, write)
    : onRedis(t, simulator, env, port, write));
  const held = write === undefined ? simulator.inject({ on: 'submit', key, do: { hold: true } }) : null;

  const atMoment = held?.met ?? stopped();
  const lost = Subject.post(gateway, { key: 'key-1' }).catch(() => null);
  await atMoment;
  await gateway.stop('SIGKILL');
  held?.release();
  const told = await lost;
  t.ok(told === null || told.status === 202, `${name}: the caller heard of an avatar, or nothing`);

  const direct = port === null ? {} : { REDIS_URL: `redis://127.0.0.1:${port}`, REDIS_KEY_PREFIX: key };
  const next = await startProcess(t, simulator, { ...env, ...direct });
  const again = await Subject.post(next, { key: 'key-1' });
  // The first write makes the avatar and begins its submit: before it there is nothing to be found.
  const isMade = write?.status !== 'submitting' || write.when === 'after';
  t.equal(
    again.headers.get('idempotent-replayed'),
    isMade ? 'true' : null,
    `${name}: what was made is found`,
  );
  if (told !== null) t.equal(again.id, told.id);
  if (becomes === 'unconfirmed') await isUnconfirmed(t, again, /^The gateway was cut off while the request/);
  else await again.becomes('succeeded');
  const count = (entries: readonly { key: string | null }[]) =>
    entries.filter((each) => each.key === key).length;
  t.same([count(simulator.calls('submit')), count(simulator.ledger())], books, `${name}: the books`);
}

const apiKeyOf = (name: string): string => name.replace(/\W+/g, '-');

/** A Redis that has every script, so that each write is one command. */
async function warmRedis(t: Test): Promise<number> {
  const { url, port } = await startRedis(t);
  const app = await startWorld(t, 'redis', { redis: { url, prefix: 'warm' } });
  await passes(app);
  await app.close();
  return port;
}

type Env = Record<string, string>;

async function onSqlite(t: Test, simulator: Simulator, env: Env, write: Moment['write']) {
  const stop: Env = write === undefined ? {} : { STOP_AT: write.status, STOP_WHEN: write.when };
  const options = write === undefined ? undefined : { preload: './test/faults/stop-at-write.mjs' };
  const gateway = await startProcess(t, simulator, { ...env, ...stop }, options);
  const isStopped = async () => gateway.output().includes('stopped at the write') || null;
  return { gateway, stopped: () => until('it is stopped', isStopped) };
}

async function onRedis(t: Test, simulator: Simulator, env: Env, port: number, write: Moment['write']) {
  const way = await wayTo(t, port);
  const gateway = await startProcess(t, simulator, {
    ...env,
    REDIS_URL: way.url,
    REDIS_KEY_PREFIX: env.MODELLIX_API_KEY ?? '',
  });
  const text = write?.status === 'pending' ? inStatus('pending') : MADE;
  const which = write?.when === 'before' ? 'request' : 'reply';
  return { gateway, stopped: () => way.break(text, 'hold', which) };
}
