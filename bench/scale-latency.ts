/** How long the store's operations take, one at a time, at so many queued avatars. */

import type { Avatar } from '../src/domain/avatar.js';
import { polled, requeued } from '../src/domain/moves.js';
import type { Begin, Store, Stored } from '../src/store/store.js';
import {
  create,
  HOUR_MS,
  KEPT,
  KEY_ID,
  pendingAvatar,
  putFinished,
  queuedAvatar,
  saved,
} from './scale-avatars.js';

export interface Latency {
  readonly p50: number;
  readonly p99: number;
}

export const OPERATIONS = [
  'admit',
  'find, queued',
  'find, finished',
  'begin',
  'save, back to queue',
  'outlook',
  'claim, a poll',
  'save, a poll',
  'claim, expired',
  'remove',
] as const;

export type Operation = (typeof OPERATIONS)[number];
export type Latencies = Readonly<Record<Operation, Latency>>;

const TIMES = 1_000;
/** Tasks of one key that are due for a poll. */
const POLLS = 30;
const CLAIMED = 3;
/** No call is ever missing. */
const CALLS = { intervalMs: 1 / 256, burst: 1e5 };

/** @param some of the queued and of the finished avatars that are in the store */
export async function latencies(
  store: Store,
  some: { readonly queued: readonly Avatar[]; readonly finished: readonly Avatar[] },
): Promise<Latencies> {
  const took = new Map<Operation, number[]>(OPERATIONS.map((name) => [name, []]));
  const time = async <T>(name: Operation, work: () => Promise<T>): Promise<T> => {
    const startedAt = performance.now();
    const result = await work();
    took.get(name)?.push(performance.now() - startedAt);
    return result;
  };
  const pick = (from: readonly Avatar[], n: number) => from[(n * 7_919) % from.length] as Avatar;
  const polled = await dueForPolls(store);

  for (let n = 0; n < TIMES; n++) {
    const made = await time('admit', () => create(store, queuedAvatar(n)));
    const queued = pick(some.queued, n);
    await time('find, queued', () => store.find(queued.caller, queued.id));
    if (some.finished.length > 0) {
      const finished = pick(some.finished, n);
      await time('find, finished', () => store.find(finished.caller, finished.id));
    }
    const { begun } = await time('begin', () => store.begin(beginOf(n), 1));
    const [first] = begun;
    if (first === undefined) throw new Error('nothing could be begun');
    await time('save, back to queue', () => saved(store, requeued(first.avatar), first.version, KEPT));
    await time('outlook', () => store.outlook([KEY_ID]));
    const claim = { keyId: KEY_ID, limit: CLAIMED, leaseMs: HOUR_MS, calls: CALLS };
    const { claimed } = await time('claim, a poll', () => store.claim(claim));
    for (const each of claimed) await time('save, a poll', () => poll(store, each));
    await expire(store, n, time);
    await time('remove', () => store.remove(made.avatar.id, made.version));
  }
  for (const { caller, id } of polled) {
    const found = await store.find(caller, id);
    if (found !== null) await store.remove(id, found.version);
  }
  return Object.fromEntries([...took].map(([name, ms]) => [name, latencyOf(ms)])) as Latencies;
}

/** An avatar whose time is over is claimed and forgotten. */
async function expire(
  store: Store,
  n: number,
  time: <T>(name: Operation, work: () => Promise<T>) => Promise<T>,
): Promise<void> {
  const over = await putFinished(store, n, 0);
  const claim = { keyId: null, limit: CLAIMED, leaseMs: HOUR_MS };
  const { claimed } = await time('claim, expired', () => store.claim(claim));
  for (const { avatar, version } of claimed) {
    if (avatar.id === over.id) await store.remove(avatar.id, version);
  }
}

/** With another key than that of the polls, which would take its turns. */
function beginOf(n: number): Begin {
  const key = { keyId: 'another', slots: 1e6, calls: CALLS };
  return { intent: `intent-${n}`, keys: [key], leaseMs: HOUR_MS };
}

function poll(store: Store, { avatar, version }: Stored): Promise<number> {
  const next = polled(avatar, 'processing', Date.now());
  return saved(store, next, version, { dueInMs: 0, submission: 'drop' });
}

async function dueForPolls(store: Store): Promise<Avatar[]> {
  const made: Avatar[] = [];
  while (made.length < POLLS) {
    const { avatar, version } = await create(store, queuedAvatar(made.length));
    const pending = pendingAvatar(avatar);
    await saved(store, pending, version, { dueInMs: 0, submission: 'drop' });
    made.push(pending);
  }
  return made;
}

function latencyOf(ms: readonly number[]): Latency {
  const sorted = [...ms].sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.floor(sorted.length * share)] ?? Number.NaN;
  return { p50: at(0.5), p99: at(0.99) };
}
