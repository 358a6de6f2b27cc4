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

/** What this process knows of its Redis: the mark that the first gateway left there, and the highest place of a change. */
export class Known {
  #mark: string | null = null;
  #place = 0;

  /** @param place as scripts say it; none where nothing was changed */
  note(place: unknown): void {
    this.#place = Math.max(this.#place, Number(place ?? 0));
  }

  /** Whether what was written to it is gone, all or the last of it. From then on what it has now counts. */
  async lossOf(redis: Redis, markKey: string, feedKey: string): Promise<'emptied' | 'rolled-back' | null> {
    const own = randomUUID();
    // Read first: a Redis that is full or read-only still serves reads.
    const mark = (await redis.get(markKey)) ?? (await redis.set(markKey, own, 'NX', 'GET')) ?? own;
    const place = -Number((await redis.zscore(feedKey, '!last')) ?? 0);
    const isEmptied = this.#mark !== null && this.#mark !== mark;
    const isBehind = place < this.#place;
    [this.#mark, this.#place] = [mark, place];
    return isEmptied ? 'emptied' : isBehind ? 'rolled-back' : null;
  }
}
