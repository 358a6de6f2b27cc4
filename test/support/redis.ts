/** Private Redis servers for tests, on free ports of 127.0.0.1, ended with the test that asked for them. */

import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';

/** What is needed of a test: a place to leave what is to be done at its end. */
export interface Teardown {
  teardown(fn: () => void | Promise<void>): unknown;
}

export interface RedisServer {
  readonly url: string;
  readonly port: number;
  readonly dir: string;
  /** Asks the server to end, which saves what it is configured to save. */
  stop(): Promise<void>;
  /** Ends it as a power cut would. */
  kill(): Promise<void>;
  /** Starts it again after either, on the same port and directory. */
  start(): Promise<void>;
}

export interface RedisServerOptions {
  readonly appendonly?: boolean;
  /** More of the command line, such as `['--maxmemory', '1mb']`. */
  readonly args?: readonly string[];
  readonly dir?: string;
}

export async function startRedis(t: Teardown, options: RedisServerOptions = {}): Promise<RedisServer> {
  const dir = options.dir ?? (await mkdtemp(join(tmpdir(), 'avatar-gateway-redis-')));
  const common = ['--bind', '127.0.0.1', '--dir', dir, '--save', '', '--daemonize', 'no'];
  const args = [...common, '--appendonly', options.appendonly ? 'yes' : 'no', ...(options.args ?? [])];

  let running: ChildProcess | null = null;
  // A free port may be taken by somebody else before the server has it: then another one.
  let port = 0;
  for (let attempt = 1; running === null; attempt++) {
    port = await freePort();
    running = await launch(['--port', String(port), ...args]);
    if (running === null && attempt === 10)
      throw new Error('no free port could be had for redis-server in 10 tries');
  }

  const end = async (signal: 'SIGTERM' | 'SIGKILL'): Promise<void> => {
    const server = running;
    running = null;
    if (server !== null) await ended(server, signal);
  };
  t.teardown(async () => {
    await end('SIGKILL');
    if (options.dir === undefined) await rm(dir, { recursive: true, force: true });
  });

  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    dir,
    stop: () => end('SIGTERM'),
    kill: () => end('SIGKILL'),
    async start() {
      for (let attempt = 1; running === null; attempt++) {
        running = await launch(['--port', String(port), ...args]);
        if (running === null && attempt === 50)
          throw new Error(`redis-server cannot have port ${port} again`);
      }
    },
  };
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

/** Ends the server when this process is gone, however it went: then its end of the pipe is closed. */
function endWithUs(server: ChildProcess): void {
  const stdio: StdioOptions = ['pipe', 'ignore', 'ignore'];
  const args = ['-c', 'read -r _; kill -9 "$1"', 'sh', String(server.pid)];
  const watch = spawn('sh', args, { stdio, detached: true });
  watch.unref();
  if (watch.stdin instanceof Socket) watch.stdin.unref();
  server.once('exit', () => watch.kill('SIGKILL'));
}

/** Resolves with a server that takes connections, or null when its port was taken. */
async function launch(args: readonly string[]): Promise<ChildProcess | null> {
  const server = spawn('redis-server', args, { stdio: ['ignore', 'pipe', 'pipe'] });
  if (server.pid !== undefined) endWithUs(server);
  let output = '';
  server.stderr.on('data', (chunk: Buffer) => {
    output += chunk;
  });
  return new Promise((resolve, reject) => {
    server.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') reject(error);
      else
        reject(
          new Error('no redis-server here: apt-get install redis-server, or set REDIS_URL', { cause: error }),
        );
    });
    server.stdout.on('data', (chunk: Buffer) => {
      output += chunk;
      if (output.includes('Ready to accept connections')) resolve(server);
    });
    server.on('exit', (code) => {
      if (/Address already in use/i.test(output)) resolve(null);
      else reject(new Error(`redis-server ended with ${code}:\n${output}`));
    });
  });
}

async function ended(server: ChildProcess, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null) return;
  await new Promise<void>((resolve) => {
    server.once('exit', () => resolve());
    server.kill(signal);
  });
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.on('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      probe.close(() => resolve(port));
    });
  });
}
