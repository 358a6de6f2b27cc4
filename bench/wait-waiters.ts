/** Thousands who wait at one process: what each of them weighs, what is read for them, and how soon they are told. */

import { setTimeout as sleep } from 'node:timers/promises';
import type { Teardown } from '../test/support/redis-process.js';
import { residentBytes, type Scripts, start } from './process.js';
import type { WaitSaid, Waits, WaitTold } from './wait-messages.js';
import { type Load, type Telling, tell, toldAll, watchAll } from './wait-tell.js';
import { cancel, type Gateway, quiet, type StoreName, startWorld, type World } from './wait-world.js';

export interface WaitersOptions {
  readonly scripts: Scripts;
  readonly dir: string;
  readonly store: StoreName;
  readonly polls: number;
  readonly streams: number;
  /** How many avatars they wait for together, where they do not wait for one each. */
  readonly avatars: number;
  /** How many of them change, and how many while all streams are of all avatars. */
  readonly changes: number;
  readonly feedChanges: number;
  readonly idleSeconds: number;
}

/** In bytes, more than before anybody waited. */
export interface Weight {
  readonly what: string;
  readonly waiters: number;
  readonly rss: number;
  readonly heapAndExternal: number;
  /** Whether it is held to the goal. */
  readonly isGoal: boolean;
}

/** What the store was asked while nothing changed, by the name of the command. */
export interface Idle {
  readonly seconds: number;
  readonly alone: Readonly<Record<string, number>>;
  readonly withWaiters: Readonly<Record<string, number>>;
  /** Requests of those who wait that came meanwhile, each of which reads once. */
  readonly asked: number;
}

export interface WaitersSeen {
  readonly store: StoreName;
  readonly weights: readonly Weight[];
  readonly tellings: readonly Telling[];
  readonly idle: Idle | null;
  readonly notOk: Readonly<Record<string, number>>;
}

const CHANGES_A_SECOND = 20;
/** Of each kind of request, before anything is measured. */
const WARM_UP = 500;
const WARM_UP_CHANGES = 50;

export async function waiters(t: Teardown, options: WaitersOptions): Promise<WaitersSeen> {
  const { scripts, polls, streams, avatars, changes, feedChanges, idleSeconds } = options;
  const world = await startWorld(t, {
    ...options,
    replicas: 2,
    callbackUrls: new Array<null>(polls + streams + avatars + changes + WARM_UP_CHANGES).fill(null),
  });
  const own = world.ids.slice(0, polls + streams);
  const shared = world.ids.slice(polls + streams, polls + streams + avatars);
  const spare = world.ids.slice(polls + streams + avatars);
  const others = spare.splice(changes);
  const [pollLoad, ...streamLoads] = [2, 3, 4].map((n) => loadFrom(t, scripts, world, n));
  if (pollLoad === undefined) throw new Error('no load');
  const all = [pollLoad, ...streamLoads];
  const notOk: Record<string, number> = {};
  const weights: Weight[] = [];

  const openStreams = (ids: readonly string[]) =>
    eachOpens(streamLoads, (share) => ({ streams: share(ids) }));
  await pollLoad.open({ polls: own.slice(0, WARM_UP) });
  await openStreams(own.slice(0, WARM_UP));
  for (const id of others) await cancel(world.changing, id);
  await closeAll(all, world.holding);
  const before = await memoryOf(world.holding);
  const weigh = async (what: string, waiters: number, from = before) => {
    const now = await memoryOf(world.holding);
    weights.push({
      what,
      waiters,
      rss: now.rss - from.rss,
      heapAndExternal: now.heapAndExternal - from.heapAndExternal,
      isGoal: what.startsWith('both'),
    });
    return now;
  };

  const alone = await commandsWithin(world, idleSeconds);
  await pollLoad.open({ polls: own.slice(0, polls) });
  const withPolls = await weigh('long polls, an avatar each', polls);
  await openStreams(own.slice(polls));
  await weigh('event streams beside them, an avatar each', streams, withPolls);
  await weigh('both, an avatar each', polls + streams);
  await watchAll(all, {});
  const withWaiters = await commandsWithin(world, idleSeconds);
  const { sent } = await toldAll(all, notOk);
  const idle = alone && withWaiters && { seconds: idleSeconds, alone, withWaiters, asked: sent };
  await closeAll(all, world.holding);
  await weigh('once they have gone', polls + streams);

  await pollLoad.open({ polls: spread(shared, polls), areSpread: true });
  await openStreams(spread(shared, streams));
  await weigh(`both, ${avatars} avatars`, polls + streams);

  const tellings = [
    await tell(world, all, notOk, {
      what: `${(polls + streams) / avatars} waiters an avatar`,
      changed: shared.slice(0, changes),
      next: spare,
      toldEach: (polls + streams) / avatars,
      aSecond: CHANGES_A_SECOND,
    }),
  ];
  await closeAll(streamLoads, world.holding);
  const withoutStreams = await memoryOf(world.holding);
  await eachOpens(streamLoads, () => ({ feeds: streams / streamLoads.length }));
  await weigh('event streams of all avatars', streams, withoutStreams);
  tellings.push(
    await tell(world, all, notOk, {
      what: `${streams} streams of all avatars, and ${polls / avatars} long polls`,
      changed: shared.slice(changes, changes + feedChanges),
      next: spare,
      toldEach: streams + polls / avatars,
      aSecond: 1,
    }),
  );
  return { store: options.store, weights, tellings, idle, notOk };
}

interface Loader extends Load {
  open(waits: Partial<Waits>): Promise<void>;
}

function loadFrom(t: Teardown, scripts: Scripts, { holding }: World, n: number): Loader {
  const process = start<WaitTold, WaitSaid>(scripts.bench('wait-load'));
  t.teardown(process.kill);
  const port = Number(new URL(holding.url).port);
  const from = Array.from({ length: 8 }, (_, i) => `127.0.${n}.${i + 1}`);
  return {
    ...process,
    async open(waits) {
      const none = { polls: [], areSpread: false, streams: [], feeds: 0 };
      process.tell({ kind: 'open', waits: { port, from, ...none, ...waits } });
      await process.hear('opened');
      await quiet(holding);
    },
  };
}

/** Each of the loads opens its share. */
async function eachOpens(
  loads: readonly Loader[],
  waitsOf: (share: (ids: readonly string[]) => readonly string[]) => Partial<Waits>,
): Promise<void> {
  await Promise.all(
    loads.map((load, n) => load.open(waitsOf((ids) => ids.filter((_, i) => i % loads.length === n)))),
  );
}

function spread(ids: readonly string[], count: number): string[] {
  return Array.from({ length: count }, (_, n) => ids[n % ids.length] ?? '');
}

async function closeAll(loads: readonly Load[], gateway: Gateway): Promise<void> {
  for (const load of loads) load.tell({ kind: 'close' });
  for (const load of loads) await load.hear('closed');
  await quiet(gateway);
}

async function memoryOf({ process }: Gateway): Promise<Pick<Weight, 'rss' | 'heapAndExternal'>> {
  process.tell({ kind: 'settle' });
  const { heapBytes, externalBytes } = await process.hear('settled');
  return { rss: await residentBytes(process.pid, 'now'), heapAndExternal: heapBytes + externalBytes };
}

async function commandsWithin(world: World, seconds: number): Promise<Record<string, number> | null> {
  const before = await world.commands();
  if (before === null) return null;
  await sleep(seconds * 1000);
  const after = (await world.commands()) ?? new Map<string, number>();
  const counts = [...after].map(([name, count]) => [name, count - (before.get(name) ?? 0)] as const);
  return Object.fromEntries(counts.filter(([, count]) => count > 0));
}
