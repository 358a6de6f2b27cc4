/** How long the store's operations take, one at a time, at so many queued avatars. */

import type { Avatar } from '../src/domain/avatar.js';
import { beginSubmit, looked, requeued } from '../src/domain/moves.js';
import type { Store, Stored } from '../src/store/store.js';
import {
  create,
  HOUR_MS,
  KEPT,
  LANE,
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
  'create',
  'find, queued',
  'find, finished',
  'next',
  'save, submit begins',
  'save, back to queue',
  'outlook',
  'claim, a look',
  'save, a look',
  'claim, expired',
  'remove',
] as const;

export type Operation = (typeof OPERATIONS)[number];
export type Latencies = Readonly<Record<Operation, Latency>>;

const TIMES = 1_000;
/** Tasks of one key that are due for a look. */
const LOOKS = 30;
const CLAIMED = 3;

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
  const looksAt = await dueForLooks(store);

  for (let n = 0; n < TIMES; n++) {
    const made = await time('create', () => create(store, queuedAvatar(n)));
    const queued = pick(some.queued, n);
    await time('find, queued', () => store.find(queued.caller, queued.id));
    if (some.finished.length > 0) {
      const finished = pick(some.finished, n);
      await time('find, finished', () => store.find(finished.caller, finished.id));
    }
    const [first] = await time('next', () => store.next(CLAIMED));
    if (first === undefined) throw new Error('the queue is empty');
    const submitting = beginSubmit(first.avatar, LANE, 'intent-1');
    const version = await time('save, submit begins', () => saved(store, submitting, first.version, KEPT));
    await time('save, back to queue', () => saved(store, requeued(submitting), version, KEPT));
    await time('outlook', () => store.outlook([LANE]));
    const claimed = await time('claim, a look', () => store.claim(LANE, CLAIMED, HOUR_MS));
    for (const each of claimed) await time('save, a look', () => look(store, each));
    await expire(store, n, time);
    await time('remove', () => store.remove(made.avatar.id, made.version));
  }
  for (const { caller, id } of looksAt) {
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
  const claimed = await time('claim, expired', () => store.claim(null, CLAIMED, HOUR_MS));
  for (const { avatar, version } of claimed) {
    if (avatar.id === over.id) await store.remove(avatar.id, version);
  }
}

function look(store: Store, { avatar, version }: Stored): Promise<number> {
  const next = looked(avatar, 'processing', Date.now());
  return saved(store, next, version, { dueInMs: 0, submission: 'drop' });
}

async function dueForLooks(store: Store): Promise<Avatar[]> {
  const made: Avatar[] = [];
  while (made.length < LOOKS) {
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
