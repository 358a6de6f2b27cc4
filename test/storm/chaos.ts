/** What happens to the processes, decided beforehand from the seed. */

import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import type { RedisServer } from '../support/redis.js';
import type { Member } from './member.js';
import type { Chance } from './random.js';
import { Tally } from './tally.js';

export type Act = 'kill a gateway' | 'freeze a gateway' | 'kill Redis' | 'stall Redis' | 'cut from Redis';

export interface Event {
  readonly atMs: number;
  readonly act: Act;
  /** Which gateway, by its place; the next one where it is not up. */
  readonly whom: number;
  readonly forMs: number;
}

/** Mean seconds between two, and how long it lasts. Some last longer than a lease, which is 8 s here. */
const PLAN: Readonly<
  Record<Exclude<Act, 'kill a gateway'>, { every: number; forMs: (c: Chance) => number }>
> = {
  'freeze a gateway': {
    every: 14,
    forMs: (c) => (c.is(0.5) ? c.between(200, 3000) : c.between(9000, 13_000)),
  },
  'kill Redis': {
    every: 18,
    forMs: (c) =>
      c.is(0.6) ? c.between(50, 1500) : c.is(0.7) ? c.between(3000, 5000) : c.between(8500, 10_500),
  },
  'stall Redis': { every: 37, forMs: (c) => c.between(500, 6500) },
  'cut from Redis': { every: 7, forMs: () => 0 },
};

/** How long an event waits for a gateway it can happen to. */
const PATIENCE_MS = 5000;
const LOOK_MS = 20;

export interface ScheduleOptions {
  readonly durationMs: number;
  readonly killsPerMinute: number;
  readonly gateways: number;
  readonly redis: boolean;
}

export function schedule(chance: Chance, options: ScheduleOptions): Event[] {
  const { durationMs, killsPerMinute, gateways, redis } = options;
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
  for (const [act, { every, forMs }] of Object.entries(PLAN) as [
    keyof typeof PLAN,
    (typeof PLAN)['kill Redis'],
  ][]) {
    // With one gateway, all waits while it is frozen.
    const rarer = act === 'freeze a gateway' && gateways === 1 ? 3 : 1;
    if (redis || act === 'freeze a gateway') events.push(...series(act, every * 1000 * rarer, forMs));
  }
  return events.sort((a, b) => a.atMs - b.atMs);
}

export class Chaos {
  readonly done = new Tally();
  readonly #members: readonly Member[];
  readonly #redis: RedisServer | null;
  readonly #underWay = new Set<Promise<void>>();
  #redisAway = false;

  constructor(members: readonly Member[], redis: RedisServer | null) {
    this.#members = members;
    this.#redis = redis;
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
        return this.#tell(act, ['CLIENT', 'PAUSE', forMs, 'ALL']);
      case 'cut from Redis':
        return this.#tell(act, ['CLIENT', 'KILL', 'TYPE', 'normal']);
    }
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

  async #tell(act: Act, [command, ...args]: readonly [string, ...(string | number)[]]): Promise<void> {
    if (this.#redis === null) return;
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
    } catch {
      // Redis is down or stalled already.
    } finally {
      client.disconnect();
    }
  }
}
