/** Gateways whose output nobody takes: its readers have gone, or are there and read nothing. */

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, constants, openSync, readSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Test } from 'tap';
import { gatewayFor, tempDir } from '../e2e/support.js';
import { gatewayScript } from '../support/processes.js';
import { until } from '../support/until.js';

interface Unread {
  readonly url: string;
  /** Sends SIGTERM and resolves with the exit code. */
  stop(): Promise<number | null>;
}

type Start = (t: Test, env: Record<string, string>) => Promise<Unread>;

export const unread: readonly (readonly [what: string, start: Start])[] = [
  [
    'both readers are gone',
    async (t, env) => {
      const gateway = await gatewayFor(t, env);
      gateway.leave();
      return gateway;
    },
  ],
  ['a pipe that nobody reads', readNoPipe],
  ['a terminal that is held', holdTerminal],
];

async function readNoPipe(t: Test, env: Record<string, string>): Promise<Unread> {
  const pipe = join(await tempDir(t), 'pipe');
  spawnSync('mkfifo', [pipe]);
  const reader = openSync(pipe, constants.O_RDONLY | constants.O_NONBLOCK);
  const writer = openSync(pipe, 'w');
  const child = spawn(process.execPath, [await gatewayScript()], {
    env: { ...process.env, PORT: '0', ...env },
    stdio: ['ignore', writer, writer],
  });
  closeSync(writer);
  t.teardown(() => {
    child.kill('SIGKILL');
    closeSync(reader);
  });
  let text = '';
  const url = await until('it listens', async () => {
    text += readWhatIsThere(reader);
    return listeningAt(text);
  });
  return { url, stop: () => stop(child) };
}

function readWhatIsThere(file: number): string {
  const buffer = Buffer.alloc(65_536);
  try {
    return buffer.toString('utf8', 0, readSync(file, buffer));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
    return '';
  }
}

async function stop(child: ChildProcess): Promise<number | null> {
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  const [code] = await ended;
  return code;
}

/** `script` gives it a terminal, and takes nothing from that while nobody takes anything from `script`. */
async function holdTerminal(t: Test, env: Record<string, string>): Promise<Unread> {
  const pidFile = join(await tempDir(t), 'pid');
  const command = `echo $$ > ${pidFile}; exec '${process.execPath}' '${await gatewayScript()}'`;
  const terminal = spawn('script', ['--quiet', '--return', '--command', command, '/dev/null'], {
    env: { ...process.env, SHELL: '/bin/sh', PORT: '0', ...env },
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  let text = '';
  terminal.stdout.on('data', (chunk) => {
    text += chunk;
  });
  const url = await until('it listens', async () => listeningAt(text));
  terminal.stdout.pause();
  const pid = Number(await readFile(pidFile, 'utf8'));
  t.teardown(() => {
    if (isAlive(pid)) process.kill(pid, 'SIGKILL');
    terminal.kill('SIGKILL');
  });
  return {
    url,
    async stop() {
      process.kill(pid, 'SIGTERM');
      await until('it ends', async () => !isAlive(pid) || null);
      // Only now can `script` end, and say how the gateway did.
      terminal.stdout.resume();
      const [code] = terminal.exitCode === null ? await once(terminal, 'exit') : [terminal.exitCode];
      return code;
    },
  };
}

/** One that has ended and is waited for by nobody is not alive. */
function isAlive(pid: number): boolean {
  const { stdout } = spawnSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' });
  return /^[^Z\s]/.test(stdout.trim());
}

function listeningAt(text: string): string | null {
  return /"msg":"Server listening at (http:[^"]+)"/.exec(text)?.[1] ?? null;
}
