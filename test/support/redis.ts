/** Private Redis servers for tests, on free ports of 127.0.0.1, ended with the test that asked for them. */

import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { type Server, startServer, type Teardown } from './redis-process.js';

export type { Teardown };

export interface RedisServer extends Server {
  readonly url: string;
  readonly dir: string;
}

export interface RedisServerOptions {
  readonly appendonly?: boolean;
  /** More of the command line, such as `['--maxmemory', '1mb']`; made anew for each try to start. */
  readonly args?: readonly string[] | (() => Promise<readonly string[]>);
  readonly dir?: string;
  /** It talks TLS only. */
  readonly tls?: boolean;
}

export async function startRedis(t: Teardown, options: RedisServerOptions = {}): Promise<RedisServer> {
  const { appendonly = false, args = [], tls = false } = options;
  const dir = options.dir ?? (await mkdtemp(join(tmpdir(), 'avatar-gateway-redis-')));
  if (options.dir === undefined) t.teardown(() => rm(dir, { recursive: true, force: true }));
  const common = ['--bind', '127.0.0.1', '--dir', dir, '--save', '', '--daemonize', 'no'];
  const server = await startServer(t, async (port) => [
    ...(tls ? ['--port', '0', '--tls-port', String(port)] : ['--port', String(port)]),
    ...[...common, '--appendonly', appendonly ? 'yes' : 'no'],
    ...(typeof args === 'function' ? await args() : args),
  ]);
  return { ...server, url: `${tls ? 'rediss' : 'redis'}://127.0.0.1:${server.port}`, dir };
}

/** A Redis to use: the one at REDIS_URL, or a private one. Keys that begin with `{prefix` are the test's own. */
export async function redisUrl(t: Teardown): Promise<{ url: string; prefix: string }> {
  const prefix = `test-${randomUUID()}`;
  const url = process.env.REDIS_URL;
  if (url === undefined || url === '') return { url: (await startRedis(t)).url, prefix };
  t.teardown(async () => {
    const client = new Redis(url);
    for await (const keys of client.scanStream({ match: `{${prefix}*`, count: 1000 })) {
      if (keys.length > 0) await client.unlink(keys);
    }
    await client.quit();
  });
  return { url, prefix };
}
