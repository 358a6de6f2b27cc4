/** What happens to the processes, decided beforehand from the seed. */

import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import type { RedisServer } from '../support/redis.js';
import type { Book } from './book.js';
import { STORES, type StormStore } from './cast.js';
import type { Member } from './member.js';
import type { Chance } from './random.js';
import { Tally } from './tally.js';
import { type Control, SUBMITS_FAIL } from './weather.js';

export type Act =
  | 'kill a gateway'
  | 'freeze a gateway'
  | 'submits fail'
  | 'kill Redis'
  | 'roll back Redis'
  | 'stall Redis'
  | 'cut from Redis';

export interface Event {
  readonly atMs: number;
  readonly act: Act;
  /** Which gateway, by its place; the next one where it is not up. */
  readonly whom: number;
  readonly forMs: number;
}

interface Plan {
  /** Mean seconds between two. */
  readonly every: number;
  readonly forMs: (c: Chance) => number;
  readonly on: readonly StormStore[];
}

const REDIS = ['redis', 'redis-snapshots'] as const;

/** Some last longer than a lease, which is 8 s here. */
const PLAN: Readonly<Record<Exclude<Act, 'kill a gateway'>, Plan>> = {
  'freeze a gateway': {
    every: 14,
    forMs: (c) => (c.is(0.5) ? c.between(200, 3000) : c.between(9000, 13_000)),
    on: STORES,
  },
  'submits fail': { every: 50, forMs: (c) => c.between(2000, 8000), on: STORES },
  'kill Redis': {
    every: 18,
    forMs: (c) =>
      c.is(0.6) ? c.between(50, 1500) : c.is(0.7) ? c.between(3000, 5000) : c.between(8500, 10_500),
    on: ['redis'],
  },
  // From the snapshot to the return.
  'roll back Redis': { every: 12, forMs: (c) => c.between(300, 6000), on: ['redis-snapshots'] },
  'stall Redis': { every: 37, forMs: (c) => c.between(500, 6500), on: REDIS },
  'cut from Redis': { every: 7, forMs: () => 0, on: REDIS },
};

/** How long an event waits for a gateway it can happen to. */
const PATIENCE_MS = 5000;
const LOOK_MS = 20;

export interface ScheduleOptions {
  readonly durationMs: number;
  readonly killsPerMinute: number;
  readonly gateways: number;
  readonly store: StormStore;
}

export function schedule(chance: Chance, options: ScheduleOptions): Event[] {
  const { durationMs, killsPerMinute, gateways, store } = options;
  const series = (act: Act, everyMs: number, forMs: (c: Chance) => number): Event[] => {
    const own = chance.stream(act);
    const events: Event[] = [];
    for (let atMs = own.between(0, everyMs); ; atMs += own.between(everyMs * 0.5, everyMs * 1.5)) {
      const event = { atMs, act, whom: own.between(0, gateways - 1), forMs: forMs(own) };
      if (atMs >= durationMs) return events;
      events.push({ ...event, forMs: Math.min(event.forMs, durationMs - atMs) });
    }
  };
  const events = series('kill a gateway', 60_000 / killsPerMinute, () => 0);
  for (const [act, { every, forMs, on }] of Object.entries(PLAN) as [keyof typeof PLAN, Plan][]) {
    // With one gateway, all waits while it is frozen.
    const rarer = act === 'freeze a gateway' && gateways === 1 ? 3 : 1;
    if (on.includes(store)) events.push(...series(act, every * 1000 * rarer, forMs));
  }
  return events.sort((a, b) => a.atMs - b.atMs);
}

export interface Stage {
  readonly members: readonly Member[];
  readonly redis: RedisServer | null;
  readonly control: Control;
  readonly book: Book;
}

export class Chaos {
  readonly done = new Tally();
  readonly #members: readonly Member[];
  readonly #redis: RedisServer | null;
  readonly #control: Control;
  readonly #book: Book;
  readonly #underWay = new Set<Promise<void>>();
  #redisAway = false;
  #submitsFail = false;

  constructor({ members, redis, control, book }: Stage) {
    this.#members = members;
    this.#redis = redis;
    this.#control = control;
    this.#book = book;
  }

  /** Resolves when the last event has come and gone, or on `stop`. */
  async run(events: readonly Event[], stop: AbortSignal): Promise<void> {
    const startedAt = performance.now();
    for (const event of events) {
      const leftMs = event.atMs - (performance.now() - startedAt);
      if (leftMs > 0) await sleep(leftMs, undefined, { signal: stop }).catch(() => undefined);
      if (stop.aborted) break;
      const work = this.#do(event, stop);
      this.#underWay.add(work);
      work.finally(() => this.#underWay.delete(work)).catch(() => undefined);
    }
    await Promise.all(this.#underWay);
  }

  async #do({ act, whom, forMs }: Event, stop: AbortSignal): Promise<void> {
    const last = () => sleep(forMs, undefined, { signal: stop }).catch(() => undefined);
    switch (act) {
      case 'kill a gateway': {
        const member = await this.#living(whom, stop);
        if (member === undefined) return;
        this.done.add(act);
        await member.end('SIGKILL');
        return member.start();
      }
      case 'freeze a gateway': {
        const member = await this.#living(whom, stop);
        if (member === undefined) return;
        this.done.add(act);
        member.freeze();
        await last();
        return member.thaw();
      }
      case 'submits fail':
        if (this.#submitsFail) return;
        this.#submitsFail = true;
        this.done.add(act);
        await this.#control.during(SUBMITS_FAIL, last);
        this.#submitsFail = false;
        return;
      case 'roll back Redis':
        return this.#rollBack(last);
      case 'kill Redis':
        if (this.#redisAway) return;
        this.#redisAway = true;
        this.done.add(act);
        await this.#redis?.kill();
        await last();
        await this.#redis?.start();
        this.#redisAway = false;
        return;
      case 'stall Redis':
        await this.#tell(act, ['CLIENT', 'PAUSE', forMs, 'ALL']);
        return;
      case 'cut from Redis':
        await this.#tell(act, ['CLIENT', 'KILL', 'TYPE', 'normal']);
        return;
    }
  }

  /** Redis ends as in a power cut, and comes back as it was when it wrote its snapshot. */
  async #rollBack(last: () => Promise<unknown>): Promise<void> {
    if (this.#redisAway) return;
    this.#redisAway = true;
    const takenAt = performance.now();
    if (await this.#tell('snapshot', ['SAVE'])) {
      await last();
      this.done.add('roll back Redis');
      const isBack = this.#book.rolledBack(takenAt);
      await this.#redis?.kill();
      await this.#redis?.start();
      isBack();
    }
    this.#redisAway = false;
  }

  /** The one that was meant, or the next; where none is up, the first that is. */
  async #living(from: number, stop: AbortSignal): Promise<Member | undefined> {
    const turned = [...this.#members.slice(from), ...this.#members.slice(0, from)];
    const deadline = performance.now() + PATIENCE_MS;
    while (!stop.aborted && performance.now() < deadline) {
      const living = turned.find(({ lives }) => lives);
      if (living !== undefined) return living;
      await sleep(LOOK_MS);
    }
    return undefined;
  }

  /** Says whether it was done. */
  async #tell(
    act: Act | 'snapshot',
    [command, ...args]: readonly [string, ...(string | number)[]],
  ): Promise<boolean> {
    if (this.#redis === null) return false;
    const client = new Redis(this.#redis.url, {
      retryStrategy: () => null,
      maxRetriesPerRequest: 0,
      lazyConnect: true,
      commandTimeout: 2000,
    });
    client.on('error', () => undefined);
    try {
      await client.connect();
      await client.call(command, ...args);
      this.done.add(act);
      return true;
    } catch {
      // Redis is down or stalled already.
      return false;
    } finally {
      client.disconnect();
    }
  }
}
