import { Redis, type RedisOptions } from 'ioredis';
import { until } from './until.js';

/** How a server is talked to, beside its port. */
export type Login = Pick<RedisOptions, 'username' | 'password' | 'tls'>;
export type Command = readonly [name: string, ...rest: (string | number)[]];

/** Sends one command on a connection of its own; rejects where the server is away or does not answer in time. */
export async function command(port: number, login: Login, ...[name, ...rest]: Command): Promise<unknown> {
  const client = new Redis({
    ...{
      host: '127.0.0.1',
      port,
      ...login,
      lazyConnect: true,
      enableReadyCheck: false,
      disableClientInfo: true,
    },
    ...{ retryStrategy: () => null, connectTimeout: 2000, commandTimeout: 2000 },
  });
  client.on('error', () => {}); // The command says it.
  try {
    await client.connect();
    return await client.call(name, ...rest);
  } finally {
    client.disconnect();
  }
}

/** Resolves once the reply holds what is looked for. A server that is away is waited for. */
export function commandSays(port: number, login: Login, what: RegExp, ...words: Command): Promise<string> {
  return until(
    `${words.join(' ')} says ${what}`,
    async () => {
      const said = String(await command(port, login, ...words).catch(() => ''));
      return what.test(said) ? said : null;
    },
    { everyMs: 20, withinMs: 60_000 },
  );
}
