/** Programs that are not ours, beside what is measured: started, waited for, and ended. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

export interface Program {
  readonly pid: number;
  readonly kill: () => Promise<void>;
}

/** @throws when it ends before it listens on the port of 127.0.0.1 */
export async function startProgram(
  [command = '', ...args]: readonly string[],
  port: number,
  env: NodeJS.ProcessEnv = process.env,
): Promise<Program> {
  const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'inherit'], env });
  const ended = once(child, 'close');
  const killed = () => child.kill();
  process.once('exit', killed);
  const failed = new Promise<never>((_, reject) => {
    child.once('error', reject);
    child.once('close', (code) => reject(new Error(`${command} ended with ${code} at its start`)));
  });
  failed.catch(() => {});
  while (!(await Promise.race([isListening(port), failed]))) await sleep(20);
  return {
    pid: child.pid ?? 0,
    async kill() {
      child.kill();
      await ended;
      process.off('exit', killed);
    },
  };
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address !== null ? address.port : 0;
}

async function isListening(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
