/** The gateway and the simulator as processes of their own, as they run in production. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { argsFor, buildGateway } from './build.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** The gateway as JavaScript, made when it is first needed. */
let built: Promise<string> | undefined;

/** The script that Node.js runs as the gateway. */
export function gatewayScript(): Promise<string> {
  built ??= mkdtemp(join(tmpdir(), 'avatar-gateway-build-')).then((dir) => {
    process.once('exit', () => rmSync(dir, { recursive: true, force: true }));
    return buildGateway(dir);
  });
  return built;
}

export interface Running {
  /** Without a slash at the end. */
  readonly url: string;
  /** Everything it wrote so far, both streams. */
  readonly output: () => string;
  /** Sends the signal and resolves with the exit code, `null` where a signal ended it. */
  readonly stop: (signal?: NodeJS.Signals) => Promise<number | null>;
  /** Sends a message to what `preload` brought in. */
  readonly send: (message: string) => void;
  /** Nobody reads what it writes any more. */
  readonly leave: () => void;
  /** Resolves when it has ended. */
  readonly exited: Promise<number | null>;
}

/** How a process that ended by itself did so. */
export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

interface StartOptions {
  /** A module of the test, from the root, that is loaded before the script, and in each of its threads: plain JavaScript. */
  readonly preload?: string;
  /** Where it is started, if not at the root of the project. */
  readonly cwd?: string;
}

/** Environment variables of the parent that a child needs to run at all; nothing else leaks into a test. */
const INHERITED = ['PATH', 'HOME', 'TMPDIR'] as const;

/** Ends with the process that started it, whatever becomes of that one. */
const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

function launch(command: readonly string[], env: Record<string, string>, options: StartOptions = {}) {
  const { preload, cwd = ROOT } = options;
  const inherited = INHERITED.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : []));
  const preloaded = preload === undefined ? [] : ['--import', resolve(ROOT, preload)];
  const child = spawn(process.execPath, [...preloaded, ...command], {
    cwd,
    env: { ...Object.fromEntries(inherited), ...env },
    stdio: ['ignore', 'pipe', 'pipe', ...(preload === undefined ? [] : ['ipc' as const])],
  });
  running.add(child);
  const written = { stdout: '', stderr: '', both: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name]?.setEncoding('utf8').on('data', (chunk: string) => {
      written[name] += chunk;
      written.both += chunk;
    });
  }
  // `close` rather than `exit`: by then, everything it wrote has been read.
  const exited = once(child, 'close').then(([code]) => {
    running.delete(child);
    return code as number | null;
  });
  return { child, written, exited };
}

/** Runs a command of Node.js and waits for the line that says where it listens. */
async function startListening(
  command: readonly string[],
  env: Record<string, string>,
  urlIn: (line: string) => string | undefined,
  options?: StartOptions,
): Promise<Running> {
  const { child, written, exited } = launch(command, env, options);
  const listening = new Promise<string>((resolve) => {
    if (child.stdout === null) return;
    createInterface({ input: child.stdout }).on('line', (line) => {
      const url = urlIn(line);
      if (url !== undefined) resolve(url);
    });
  });
  const url = await Promise.race([listening, exited.then(() => null)]);
  if (url === null) throw new Error(`${command.join(' ')} ended before it listened:\n${written.both}`);
  return {
    url,
    output: () => written.both,
    exited,
    send: (message) => void child.send(message),
    leave() {
      child.stdout?.destroy();
      child.stderr?.destroy();
    },
    stop(signal = 'SIGTERM') {
      child.kill(signal);
      return exited;
    },
  };
}

/**
 * The gateway, started beside its script, where there is no `.env`; on any free port unless `PORT` is given. It must log at
 * `info` or below: that is how it is heard.
 */
export async function startGateway(env: Record<string, string>, options?: StartOptions): Promise<Running> {
  const script = await gatewayScript();
  return startListening([script], { PORT: '0', ...env }, listeningAt, { cwd: dirname(script), ...options });
}

/** The simulator, on any free port unless `PORT` is given. */
export function startSimulatorProcess(env: Record<string, string> = {}): Promise<Running> {
  return startListening(argsFor('test/simulator/main'), { PORT: '0', ...env }, (line) => {
    return /(http:\/\/[^\s"]+)/.exec(line)?.[1];
  });
}

/** Runs the gateway with arguments or settings that make it end by itself; one that listens instead is killed. */
export async function runGateway(args: string[], env: Record<string, string>): Promise<Ended> {
  const script = await gatewayScript();
  const { child, written, exited } = launch(
    [script, ...args],
    { PORT: '0', ...env },
    { cwd: dirname(script) },
  );
  child.stdout?.on('data', () => {
    if (listeningAt(written.stdout) !== undefined) child.kill('SIGKILL');
  });
  const code = await exited;
  return { code, stdout: written.stdout, stderr: written.stderr };
}

/** A command of the gateway that may take its time; it is killed with the process that started it. */
export async function startCommand(args: string[], env: Record<string, string>) {
  const { child, written, exited } = launch([await gatewayScript(), ...args], env);
  return {
    stderr: () => written.stderr,
    kill: (signal: NodeJS.Signals) => child.kill(signal),
    /** Nobody reads what it writes to stdout any more. */
    leave: () => child.stdout?.destroy(),
    ended: exited.then((code): Ended => ({ code, stdout: written.stdout, stderr: written.stderr })),
  };
}

function listeningAt(text: string): string | undefined {
  return /"msg":"Server listening at (http:[^"]+)"/.exec(text)?.[1];
}
