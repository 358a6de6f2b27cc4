/** The Lua scripts beside this file, as commands of a client. */

import { readFileSync } from 'node:fs';
import type { Redis, RedisOptions } from 'ioredis';

const NAMES = [
  'create',
  'find',
  'next',
  'due',
  'claim',
  'save',
  'list',
  'feed',
  'list-all',
  'feed-all',
  'unlist',
  'remove',
  'set-aside',
  'outlook',
  'document',
  'swap',
  'count',
] as const;

export type ScriptName = (typeof NAMES)[number];
export type ScriptArgument = string | number | Buffer;

/** Runs a script with its reply in Buffers: `(number of keys, ...keys, ...arguments)`. */
type Run = (keys: number, ...rest: ScriptArgument[]) => Promise<unknown>;

/** A client that was made with {@link loadScripts}; the names cannot hide a command of Redis. */
export type ScriptedRedis = Redis & Record<`avatar.${ScriptName}Buffer`, Run>;

/** Reads the scripts for the client's `scripts` option, which sends EVALSHA and, where Redis forgot one, EVAL. */
export function loadScripts(): NonNullable<RedisOptions['scripts']> {
  const prelude = read('prelude');
  return Object.fromEntries(NAMES.map((name) => [`avatar.${name}`, { lua: prelude + read(name) }]));
}

function read(name: string): string {
  return readFileSync(new URL(`./${name}.lua`, import.meta.url), 'utf8');
}
