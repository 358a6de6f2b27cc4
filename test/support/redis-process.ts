/** Processes of redis-server, whatever they serve, ended with the test that asked for them. */

import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process';
import { createServer, Socket } from 'node:net';

/** What is needed of a test: a place to leave what is to be done at its end. */
export interface Teardown {
  teardown(fn: () => void | Promise<void>): unknown;
}

export interface Server {
  readonly port: number;
  /** Asks the server to end, which saves what it is configured to save. */
  stop(): Promise<void>;
  /** Ends it as a power cut would. */
  kill(): Promise<void>;
  /** Starts it again after either, with the arguments it had. */
  start(): Promise<void>;
  /** Holds it up: its connections stay, and nothing is answered. */
  freeze(): void;
  thaw(): void;
}

/** Starts redis-server on a free port, which the arguments have to name. */
export async function startServer(
  t: Teardown,
  argsFor: (port: number) => readonly string[] | Promise<readonly string[]>,
): Promise<Server> {
  let running: ChildProcess | null = null;
  let args: readonly string[] = [];
  // A free port may be taken by somebody else before the server has it: then another one.
  let port = 0;
  for (let attempt = 1; running === null; attempt++) {
    port = await freePort();
    args = await argsFor(port);
    running = await launch(args);
    if (running === null && attempt === 10)
      throw new Error('no free port could be had for redis-server in 10 tries');
  }

  const end = async (signal: 'SIGTERM' | 'SIGKILL'): Promise<void> => {
    const server = running;
    running = null;
    if (server !== null) await ended(server, signal);
  };
  t.teardown(() => end('SIGKILL'));

  return {
    port,
    stop: () => end('SIGTERM'),
    kill: () => end('SIGKILL'),
    async start() {
      for (let attempt = 1; running === null; attempt++) {
        running = await launch(args);
        if (running === null && attempt === 50)
          throw new Error(`redis-server cannot have port ${port} again`);
      }
    },
    freeze: () => void running?.kill('SIGSTOP'),
    thaw: () => void running?.kill('SIGCONT'),
  };
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

/** What a server says when it takes connections; a sentinel says who it is. */
const STARTED = /Ready to accept connections|Sentinel ID is/;

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
      if (STARTED.test(output)) resolve(server);
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

export function freePort(): Promise<number> {
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
