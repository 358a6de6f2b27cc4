import type { RedisServer } from './redis.js';
import { command, commandSays, type Login } from './redis-command.js';

/** Arguments of servers that replicate as a user of their own, whichever of them is the master. */
export const REPLICATION: readonly string[] = [
  ...['--user', 'replica', 'on', '>replica', '~*', '&*', '+@all'],
  ...['--masteruser', 'replica', '--masterauth', 'replica'],
];

/** Has a master go on without its replicas: they do not hear of what is written from here on. */
export async function cutOff({ port }: RedisServer, login: Login = {}): Promise<void> {
  await command(port, login, 'ACL', 'SETUSER', 'replica', 'off');
  await command(port, login, 'CLIENT', 'KILL', 'USER', 'replica');
}

/** Resolves once a server has all that its master has. */
export async function replicates({ port }: RedisServer, login: Login = {}): Promise<void> {
  const inStep = /role:slave[\s\S]*master_link_status:up/;
  await commandSays(port, login, inStep, 'INFO', 'replication');
}
