/** Thousands who wait at one process: what each of them weighs, what is read for them, and how soon they are told. */

import { setTimeout as sleep } from 'node:timers/promises';
import type { Teardown } from '../test/support/redis-process.js';
import { type Running, residentBytes, type Scripts, start } from './process.js';
import { monotonicMs, type Seen, type WaitSaid, type Waits, type WaitTold } from './wait-messages.js';
import { cancel, type Gateway, type StoreName, startWorld, type World } from './wait-world.js';

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

/** From a change until the last of those who wait for it was told, in ms each. */
export interface Telling {
  readonly what: string;
  readonly toldEach: number;
  readonly lastToldMs: readonly number[];
  /** Of these until the change was answered. */
  readonly answeredMs: readonly number[];
  /** Told too few or too many times, over all changes. */
  readonly missed: number;
  readonly twice: number;
  readonly gatewayLoop: Loop;
  readonly loadLoop: Loop;
}

export interface Loop {
  readonly p99Ms: number;
  readonly maxMs: number;
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

type Load = Running<WaitTold, WaitSaid>;

/** After the last of them has asked, until all of them wait. */
const SETTLE_MS = 2_000;
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
  await closeAll(all);
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

  await pollLoad.open({ polls: own.slice(0, polls) });
  const withPolls = await weigh('long polls, an avatar each', polls);
  await openStreams(own.slice(polls));
  await weigh('event streams beside them, an avatar each', streams, withPolls);
  await weigh('both', polls + streams);
  await closeAll(all);
  await weigh('once they have gone', polls + streams);

  const alone = await commandsWithin(world, idleSeconds);
  await pollLoad.open({ polls: spread(shared, polls) });
  await openStreams(spread(shared, streams));
  await watchAll(all, {});
  const withWaiters = await commandsWithin(world, idleSeconds);
  const { sent } = await toldAll(all, notOk);
  const idle = alone && withWaiters && { seconds: idleSeconds, alone, withWaiters, asked: sent };
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
  await closeAll(streamLoads);
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
  const process: Load = start(scripts.bench('wait-load'));
  t.teardown(process.kill);
  const port = Number(new URL(holding.url).port);
  const from = Array.from({ length: 8 }, (_, i) => `127.0.${n}.${i + 1}`);
  return {
    ...process,
    async open(waits) {
      process.tell({ kind: 'open', waits: { port, from, polls: [], streams: [], feeds: 0, ...waits } });
      await process.hear('opened');
      await sleep(SETTLE_MS);
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

async function closeAll(loads: readonly Load[]): Promise<void> {
  for (const load of loads) load.tell({ kind: 'close' });
  for (const load of loads) await load.hear('closed');
  await sleep(SETTLE_MS);
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

async function watchAll(loads: readonly Load[], next: Readonly<Record<string, string>>): Promise<void> {
  for (const load of loads) load.tell({ kind: 'watch', next });
  for (const load of loads) await load.hear('watching');
}

/** What all of them saw together. */
async function toldAll(
  loads: readonly Load[],
  notOk: Record<string, number>,
): Promise<Pick<Seen, 'ends' | 'sent'>> {
  const ends: Record<string, { count: number; lastAt: number }> = {};
  let sent = 0;
  for (const load of loads) {
    load.tell({ kind: 'tell' });
    const { seen } = await load.hear('told');
    sent += seen.sent;
    for (const [what, count] of Object.entries(seen.notOk)) notOk[what] = (notOk[what] ?? 0) + count;
    for (const [id, { count, lastAt }] of Object.entries(seen.ends)) {
      const known = ends[id] ?? { count: 0, lastAt: 0 };
      ends[id] = { count: known.count + count, lastAt: Math.max(known.lastAt, lastAt) };
    }
  }
  return { ends, sent };
}

interface Changes {
  readonly what: string;
  readonly changed: readonly string[];
  readonly next: readonly string[];
  readonly toldEach: number;
  readonly aSecond: number;
}

async function tell(
  world: World,
  loads: readonly Load[],
  notOk: Record<string, number>,
  { what, changed, next, toldEach, aSecond }: Changes,
): Promise<Telling> {
  await watchAll(loads, Object.fromEntries(changed.map((id, n) => [id, next[n] ?? ''])));
  const measured = [world.holding.process, ...loads];
  for (const each of measured) each.tell({ kind: 'reset' });
  for (const each of measured) await each.hear('reset');

  const began = new Map<string, number>();
  const answeredMs: number[] = [];
  const asked: Promise<void>[] = [];
  for (const id of changed) {
    const at = monotonicMs();
    began.set(id, at);
    asked.push(cancel(world.changing, id).then(() => void answeredMs.push(monotonicMs() - at)));
    await sleep(1000 / aSecond);
  }
  await Promise.all(asked);
  await sleep(SETTLE_MS);

  const [gatewayLoop, ...loadLoops] = await Promise.all(measured.map(loopOf));
  const { ends } = await toldAll(loads, notOk);
  const toldTimes = changed.map((id) => ends[id]?.count ?? 0);
  return {
    what,
    toldEach,
    lastToldMs: changed.flatMap((id) => {
      const end = ends[id];
      return end === undefined ? [] : [end.lastAt - (began.get(id) ?? 0)];
    }),
    answeredMs,
    missed: toldTimes.reduce((sum, times) => sum + Math.max(0, toldEach - times), 0),
    twice: toldTimes.reduce((sum, times) => sum + Math.max(0, times - toldEach), 0),
    gatewayLoop: gatewayLoop ?? { p99Ms: Number.NaN, maxMs: Number.NaN },
    loadLoop: {
      p99Ms: Math.max(...loadLoops.map(({ p99Ms }) => p99Ms)),
      maxMs: Math.max(...loadLoops.map(({ maxMs }) => maxMs)),
    },
  };
}

async function loopOf(process: Load): Promise<Loop> {
  process.tell({ kind: 'read' });
  const { loopP99Ms, loopMaxMs } = await process.hear('figures');
  return { p99Ms: loopP99Ms, maxMs: loopMaxMs };
}
