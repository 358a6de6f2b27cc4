/** The gateway and the simulator as processes of their own, as they run in production. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

export interface Running {
  /** Without a slash at the end. */
  readonly url: string;
  /** Everything it wrote so far, both streams. */
  readonly output: () => string;
  /** Sends the signal and resolves with the exit code, `null` where a signal ended it. */
  readonly stop: (signal?: NodeJS.Signals) => Promise<number | null>;
  /** Resolves when it has ended. */
  readonly exited: Promise<number | null>;
}

/** Environment variables of the parent that a child needs to run at all; nothing else leaks into a test. */
const INHERITED = ['PATH', 'HOME', 'TMPDIR'] as const;

function start(script: string, env: Record<string, string>): { child: ChildProcess; output: () => string } {
  const inherited = INHERITED.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : []));
  const child = spawn(process.execPath, ['--import', 'tsx', script], {
    cwd: ROOT,
    env: { ...Object.fromEntries(inherited), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let written = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (chunk: string) => {
      written += chunk;
    });
  }
  return { child, output: () => written };
}

async function exitOf(child: ChildProcess): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
  const [code] = (await once(child, 'exit')) as [number | null];
  return code;
}

/** Starts a script and waits for the line that says where it listens. */
async function startListening(
  script: string,
  env: Record<string, string>,
  urlIn: (line: string) => string | undefined,
): Promise<Running> {
  const { child, output } = start(script, env);
  const exited = exitOf(child);
  const listening = new Promise<string>((resolve) => {
    if (child.stdout === null) return;
    createInterface({ input: child.stdout }).on('line', (line) => {
      const url = urlIn(line);
      if (url !== undefined) resolve(url);
    });
  });
  const url = await Promise.race([listening, exited.then(() => null)]);
  if (url === null) throw new Error(`${script} ended before it listened:\n${output()}`);
  return {
    url,
    output,
    exited,
    stop(signal = 'SIGTERM') {
      child.kill(signal);
      return exited;
    },
  };
}

/** The gateway, on any free port unless `PORT` is given. */
export function startGateway(env: Record<string, string>): Promise<Running> {
  return startListening('src/main.ts', { PORT: '0', ...env }, (line) => {
    return /"msg":"Server listening at (http:[^"]+)"/.exec(line)?.[1];
  });
}

/** The simulator, on any free port unless `PORT` is given. */
export function startSimulatorProcess(env: Record<string, string> = {}): Promise<Running> {
  return startListening('test/simulator/main.ts', { PORT: '0', ...env }, (line) => {
    return /(http:\/\/[^\s"]+)/.exec(line)?.[1];
  });
}

/** Runs the gateway with arguments or settings that make it end by itself. */
export async function runGateway(args: string[], env: Record<string, string>) {
  const inherited = { PATH: process.env.PATH ?? '' };
  const child = spawn(process.execPath, ['--import', 'tsx', 'src/main.ts', ...args], {
    cwd: ROOT,
    env: { ...inherited, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const collect = async (stream: NodeJS.ReadableStream) => {
    let text = '';
    for await (const chunk of stream) text += String(chunk);
    return text;
  };
  const [stdout, stderr, code] = await Promise.all([
    collect(child.stdout),
    collect(child.stderr),
    exitOf(child),
  ]);
  return { code, stdout, stderr };
}
