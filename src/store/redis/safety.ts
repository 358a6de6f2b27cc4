/** Whether a Redis keeps what it is given, and whether it is the one that was there before. */

import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';

/** A property of a Redis that can lose tasks, and what to do about it. */
export type Hazard = string;

/** From INFO, which managed services allow where they refuse CONFIG. */
export async function hazardsOf(redis: Redis): Promise<Hazard[]> {
  const info = await redis.info();
  const value = (name: string) => new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(info)?.[1];
  const hazards: Hazard[] = [];
  const policy = value('maxmemory_policy');
  if (policy !== undefined && policy !== 'noeviction') {
    hazards.push(`maxmemory-policy is ${policy}: a full Redis drops tasks; set noeviction`);
  }
  if (value('aof_enabled') === '0') {
    hazards.push('the append-only file is off: a crash of Redis loses tasks; set appendonly yes');
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
