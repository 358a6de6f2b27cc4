/** Whether a Redis can be used, whether it keeps what it is given, and whether it is the one that was there before. */

import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';

/** A property of a Redis that can lose tasks or have them paid twice, and what to do about it. */
export type Hazard = string;

/** What a Redis says of itself, by name. */
export type Info = (name: string) => string | undefined;

/** INFO, which managed services allow where they refuse CONFIG and ROLE. */
export async function infoOf(redis: Redis): Promise<Info> {
  const info = await redis.info();
  return (name) => new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(info)?.[1];
}

/** The oldest whose SET takes NX and GET together. */
const OLDEST = 7;

/** Why it cannot be used; `null` where nothing speaks against it. */
export function unfitnessOf(value: Info): string | null {
  const version = value('redis_version');
  if (version !== undefined && Number.parseInt(version, 10) < OLDEST) {
    return `this Redis is ${version}; ${OLDEST}.0 or newer is needed`;
  }
  return value('role') === 'slave' ? 'this Redis is a replica of another, and takes no writes' : null;
}

export function hazardsOf(value: Info): Hazard[] {
  const hazards: Hazard[] = [];
  const policy = value('maxmemory_policy');
  if (policy !== undefined && policy !== 'noeviction') {
    hazards.push(
      `maxmemory-policy is ${policy}: a full Redis drops tasks and keys, and can pay twice; set noeviction`,
    );
  }
  if (value('aof_enabled') === '0') {
    hazards.push(
      'the append-only file is off: after a crash Redis is as it was earlier, loses tasks, and can pay twice; set appendonly yes',
    );
  }
  return hazards;
}

/** `same` where `known` is the mark that stands there; otherwise this Redis has not, or no longer, what was written. */
export interface Mark {
  readonly mark: string;
  readonly found: 'same' | 'new' | 'emptied';
}

/** Reads the mark that the first gateway left under `key`, or leaves one. */
export async function markOf(redis: Redis, key: string, known: string | null): Promise<Mark> {
  const own = randomUUID();
  // Read first: a Redis that is full or read-only still serves reads.
  const stood = (await redis.get(key)) ?? (await redis.set(key, own, 'NX', 'GET'));
  const mark = stood ?? own;
  if (known === null) return { mark, found: stood === null ? 'new' : 'same' };
  return { mark, found: mark === known ? 'same' : 'emptied' };
}

/** The highest place of a change that this process knows of: a Redis whose last one is lower has lost some. */
export class SeenPlace {
  #highest = 0;

  /** @param place as scripts say it; none where nothing was changed */
  note(place: unknown): void {
    this.#highest = Math.max(this.#highest, Number(place ?? 0));
  }

  /** Whether Redis is older than it was. From then on what it has now counts. */
  async isBehind(redis: Redis, feed: string): Promise<boolean> {
    const last = -Number((await redis.zscore(feed, '!last')) ?? 0);
    const isBehind = last < this.#highest;
    this.#highest = last;
    return isBehind;
  }
}
