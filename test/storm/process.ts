/** A process of the storm: what it writes goes to a file, and it ends with whoever started it. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { createInterface } from 'node:readline';

const INHERITED = ['PATH', 'HOME', 'TMPDIR'] as const;

const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

export interface Spawned {
  /** Where it listens, without a slash at the end. */
  readonly url: string;
  /** Resolves when it has ended and all it wrote is in the file: the exit code, `null` where a signal ended it. */
  readonly ended: Promise<number | null>;
  /** Ends it; resolves as `ended` does. */
  stop(signal: 'SIGTERM' | 'SIGKILL'): Promise<number | null>;
  /** Stops it where it is, or lets it go on. */
  freeze(): void;
  thaw(): void;
}

export interface SpawnOptions {
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Appended to. */
  readonly logFile: string;
  /** Told of every line on stdout. */
  readonly onLine?: (line: string) => void;
  /** The URL in the line that says where it listens. */
  readonly urlIn: (line: string) => string | undefined;
}

/** Starts a Node.js script and waits until it listens. */
export async function spawnScript({ args, env, logFile, onLine, urlIn }: SpawnOptions): Promise<Spawned> {
  const inherited = INHERITED.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : []));
  const child = spawn(process.execPath, args, {
    env: { ...Object.fromEntries(inherited), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.add(child);
  const log = createWriteStream(logFile, { flags: 'a' });
  let last = '';
  const listening = new Promise<string>((resolve) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      log.write(`${line}\n`);
      last = line;
      onLine?.(line);
      const url = urlIn(line);
      if (url !== undefined) resolve(url);
    });
  });
  createInterface({ input: child.stderr }).on('line', (line) => {
    log.write(`${line}\n`);
    last = line;
  });
  const ended = once(child, 'close').then(([code]) => {
    running.delete(child);
    log.end();
    return code as number | null;
  });
  const url = await Promise.race([listening, ended.then(() => null)]);
  if (url === null) throw new Error(`${args.join(' ')} ended before it listened: ${last}`);
  return {
    url,
    ended,
    stop(signal) {
      child.kill(signal);
      return ended;
    },
    freeze: () => void child.kill('SIGSTOP'),
    thaw: () => void child.kill('SIGCONT'),
  };
}
