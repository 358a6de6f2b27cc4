/** One storm: the cast comes on, things go wrong for a while, then all is quiet and the books are compared. */

import { setMaxListeners } from 'node:events';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Book } from './book.js';
import { Callers } from './callers.js';
import { type Cast, gatherCast, type StormStore } from './cast.js';
import { Chaos, schedule } from './chaos.js';
import { LedgerTail } from './ledger.js';
import { LogReader } from './logs.js';
import { type Reckoned, reckonWhenQuiet } from './quiet.js';
import { Chance } from './random.js';
import { progressOf, type Result } from './report.js';
import { Watchers } from './watchers.js';
import { ENDLESS, PUSHES, WEATHER } from './weather.js';

export interface StormOptions {
  readonly seed: number;
  readonly store: StormStore;
  /** One, with the embedded store. */
  readonly gateways: number;
  readonly durationMs: number;
  readonly callers: number;
  readonly thinkMs: number;
  readonly killsPerMinute: number;
  /** Where logs, ledger and stores are left; unset, they go when no invariant was violated. */
  readonly keepLogs: string | null;
  /** Told every second how it stands. */
  readonly onProgress?: (line: string) => void;
}

const TAIL_MS = 200;
const ANSWERED_MS = 60_000;
const PROGRESS_MS = 1000;
/** A task that never ends takes a minute to be given up: too long for a short storm. */
const ENDLESS_FROM_MS = 60_000;

export async function storm(options: StormOptions): Promise<Result> {
  const { seed, store, keepLogs } = options;
  const startedAt = performance.now();
  if (keepLogs !== null) await mkdir(keepLogs, { recursive: true });
  const dir = await mkdtemp(join(keepLogs ?? tmpdir(), `storm-${store}-${seed}-`));
  const stop = new AbortController();
  setMaxListeners(0, stop.signal);
  const book = new Book(() => stop.abort());
  const logs = new LogReader(book);
  const cast = await gatherCast({
    dir,
    seed,
    store,
    gateways: options.gateways,
    onLog: (line, life) => logs.line(line, life),
    onCrash: (detail) => book.check('other', false, () => detail),
  });
  let played: Played;
  try {
    played = await play(options, cast, book, stop.signal);
  } finally {
    await cast.leave();
  }
  const kept = keepLogs !== null || book.violations.length > 0;
  if (!kept) await rm(dir, { recursive: true, force: true });
  return {
    ...played,
    options,
    book,
    logged: logs.notable,
    tookMs: performance.now() - startedAt,
    dir: kept ? dir : null,
  };
}

type Played = Pick<Result, 'callers' | 'watchers' | 'chaos' | 'faults' | 'pushes' | 'reckoned' | 'over'>;

async function play(options: StormOptions, cast: Cast, book: Book, stop: AbortSignal): Promise<Played> {
  const { seed, durationMs } = options;
  const { members, redis, control } = cast;
  const chance = new Chance(seed);
  const watchers = new Watchers(book, members, chance.stream('watchers'));
  const chaos = new Chaos({ members, redis, control, book });
  const closing = new AbortController();
  const ended = new AbortController();
  const callers = new Callers({
    count: options.callers,
    chance: chance.stream('callers'),
    seed,
    book,
    members,
    thinkMs: options.thinkMs,
    closing: closing.signal,
    stop,
  });
  const tail = await LedgerTail.open(cast.ledgerFile, book);
  const startedAt = performance.now();
  const background = [
    watchers.run(AbortSignal.any([stop, ended.signal])),
    each(TAIL_MS, () => tail.catchUp(), ended.signal),
    each(
      TAIL_MS,
      () => control.configure({ pushes: { origins: members.map(({ url }) => url) } }),
      ended.signal,
    ),
    each(
      PROGRESS_MS,
      () => options.onProgress?.(progressOf(performance.now() - startedAt, book, chaos)),
      ended.signal,
    ),
  ];
  let faults = new Map<string, number>();
  let reckoned: Reckoned | null = null;
  try {
    await control.configure({ pushes: PUSHES });
    await control.inject(durationMs >= ENDLESS_FROM_MS ? [...WEATHER, ...ENDLESS] : WEATHER);
    const events = schedule(chance.stream('chaos'), {
      durationMs,
      killsPerMinute: options.killsPerMinute,
      gateways: members.length,
      store: options.store,
    });
    const asking = callers.run();
    const time = sleep(durationMs, undefined, { signal: stop }).catch(() => undefined);
    await Promise.all([chaos.run(events, stop), time]);
    faults = await control.clear();
    closing.abort();
    await inTime(asking, book);
    if (!stop.aborted) reckoned = await reckonWhenQuiet({ cast, book, watchers, tail, stop });
  } catch (error) {
    // Once a violation has stopped it, what was under way may end in any way.
    if (!stop.aborted) throw error;
  } finally {
    ended.abort();
    await Promise.all(background);
    await tail.close();
  }
  const [pushes, over] = await Promise.all([control.pushes(), control.over()]);
  return { callers, watchers, chaos, faults, pushes, reckoned, over };
}

/** With everything up again, a caller who tries again is answered. */
async function inTime(asking: Promise<void>, book: Book): Promise<void> {
  const timer = setTimeout(() => {
    book.check('I3', false, () => `callers have no answer ${ANSWERED_MS / 1000} s after the storm`);
  }, ANSWERED_MS);
  await asking;
  clearTimeout(timer);
}

async function each(ms: number, work: () => unknown, end: AbortSignal): Promise<void> {
  while (!end.aborted) {
    await work();
    await sleep(ms, undefined, { signal: end }).catch(() => undefined);
  }
}
