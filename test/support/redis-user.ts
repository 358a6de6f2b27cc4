/** The Redis user of docs/redis.md. */

import { readFileSync } from 'node:fs';
import type { Login } from './redis-command.js';

const page = readFileSync(new URL('../../docs/redis.md', import.meta.url), 'utf8');
const [, name = '', rules = ''] = /ACL SETUSER (\S+) ([^`]+)```/.exec(page) ?? [];

/** Its keys and channels begin with this. */
export const PREFIX = 'avatar-gateway';

export const RULES: readonly string[] = rules.trim().split(/\s+/);
export const USER: Required<Pick<Login, 'username' | 'password'>> = {
  username: name,
  password: RULES.find((rule) => rule.startsWith('>'))?.slice(1) ?? '',
};
/** The commands it may use. */
export const COMMANDS = RULES.filter((rule) => rule.startsWith('+')).map((rule) => rule.slice(1));

/** Arguments of a server that has the user; with `anyPrefix`, for all prefixes that begin with its own. */
export function withUser({ anyPrefix = false } = {}): string[] {
  const widened = (rule: string) => rule.replace(/^([~&]\{[^}]*)\}.*$/, '$1*');
  return ['--user', name, ...(anyPrefix ? RULES.map(widened) : RULES)];
}

/** A URL of Redis with the login of the user. */
export function asUser(url: string): string {
  return url.replace('//', `//${USER.username}:${USER.password}@`);
}
