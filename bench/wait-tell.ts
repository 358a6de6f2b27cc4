/** How soon those who wait are told of changes. */

import { setTimeout as sleep } from 'node:timers/promises';
import type { Running } from './process.js';
import { monotonicMs, type Seen, type WaitSaid, type WaitTold } from './wait-messages.js';
import { cancel, type World } from './wait-world.js';

export type Load = Running<WaitTold, WaitSaid>;

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

/** After the last change, until all of them were told. */
const SETTLE_MS = 3_000;

export async function watchAll(
  loads: readonly Load[],
  next: Readonly<Record<string, string>>,
): Promise<void> {
  for (const load of loads) load.tell({ kind: 'watch', next });
  for (const load of loads) await load.hear('watching');
}

/** What all of them saw together. */
export async function toldAll(
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

export interface Changes {
  readonly what: string;
  readonly changed: readonly string[];
  readonly next: readonly string[];
  readonly toldEach: number;
  readonly aSecond: number;
}

export async function tell(
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
