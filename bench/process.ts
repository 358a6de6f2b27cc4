/** The processes of a measurement: how they are made, started, asked and ended. Linux only: memory is read from /proc. */

import { type ChildProcess, spawn } from 'node:child_process';
import { on, once } from 'node:events';
import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { buildGateway } from '../test/support/build.js';

export interface Scripts {
  readonly gateway: string;
  /** Of the bench itself, by the name of its file. */
  readonly bench: (name: string) => string;
}

/** Everything as JavaScript in one folder, so that nothing that is measured carries a compiler. */
export async function buildScripts(dir: string): Promise<Scripts> {
  return { gateway: await buildGateway(dir), bench: await buildBench(dir) };
}

/** The scripts of the bench alone, by the name of their file. */
export async function buildBench(dir: string): Promise<Scripts['bench']> {
  const [from, to] = [new URL('./', import.meta.url), join(dir, 'bench')];
  for (const name of await readdir(from, { recursive: true })) {
    if (!name.endsWith('.ts')) continue;
    const { outputText } = ts.transpileModule(await readFile(new URL(name, from), 'utf8'), {
      compilerOptions: {
        target: ts.ScriptTarget.ES2023,
        module: ts.ModuleKind.ESNext,
        verbatimModuleSyntax: true,
      },
    });
    const script = join(to, name.replace(/\.ts$/, '.js'));
    await mkdir(dirname(script), { recursive: true });
    await writeFile(script, outputText);
  }
  await writeFile(join(to, 'package.json'), '{ "type": "module" }');
  await symlink(fileURLToPath(new URL('../node_modules', import.meta.url)), join(to, 'node_modules'));
  return (name) => join(to, `${name}.js`);
}

/** What `npm start` runs: a shell command that builds what has changed, and the flags of Node. */
export async function startCommand(): Promise<{ readonly build: string; readonly flags: readonly string[] }> {
  const { scripts } = JSON.parse(await readFile(new URL('../package.json', import.meta.url), 'utf8'));
  const parts = /^(.+) && exec node ((?:--\S+ )*)dist\/main\.js$/.exec(scripts.start);
  if (parts === null) throw new Error(`npm start is not what is expected: ${scripts.start}`);
  const [, build = '', flags = ''] = parts;
  return { build, flags: flags.split(' ').filter(Boolean) };
}

/** What processes tell each other. */
export interface Message {
  readonly kind: string;
}

/** A process that understands `Told` and answers with `Said`. */
export interface Running<Told extends Message, Said extends Message> {
  readonly pid: number;
  readonly tell: (told: Told) => void;
  /** What it says next, which has to be of this kind. @throws when it is not, or when the process ended */
  readonly hear: <Kind extends Said['kind']>(kind: Kind) => Promise<Extract<Said, { kind: Kind }>>;
  readonly kill: () => Promise<void>;
  /** Asks it to end, and waits until it has. */
  readonly stop: () => Promise<void>;
}

interface StartOptions {
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Loaded before the script. */
  readonly preload?: string;
  /** Of Node. */
  readonly flags?: readonly string[];
  /** A command that runs the one behind it, as `taskset` does. */
  readonly prefix?: readonly string[];
  readonly cwd?: string;
}

const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

const INHERITED = ['PATH', 'HOME', 'TMPDIR'] as const;

/** Starts a script. It ends with this process, however that ends: it listens for the end of the channel. */
export function start<Told extends Message, Said extends Message>(
  script: string,
  { args = [], env = {}, preload, flags = [], prefix = [], cwd }: StartOptions = {},
): Running<Told, Said> {
  const inherited = INHERITED.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : []));
  const preloaded = preload === undefined ? [] : ['--expose-gc', '--import', preload];
  const [command = '', ...words] = [...prefix, process.execPath, ...flags, ...preloaded, script, ...args];
  const child = spawn(command, words, {
    env: { ...Object.fromEntries(inherited), ...env },
    ...(cwd === undefined ? {} : { cwd }),
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  running.add(child);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      output = (output + text).slice(-4_000);
    });
  }
  const ended = once(child, 'close');
  const ending = new AbortController();
  ended.then(() => {
    running.delete(child);
    ending.abort();
  });
  const messages = on(child, 'message', { signal: ending.signal }) as AsyncIterator<[Said]>;
  return {
    pid: child.pid ?? 0,
    // That it has ended is for `hear` to say.
    tell: (told) => void child.send(told, () => {}),
    async hear(kind) {
      const next = await messages.next().catch(() => {
        throw new Error(`${script} ${args.join(' ')} ended before its time:\n${output}`);
      });
      const said = next.value[0];
      if (!isOf(said, kind)) throw new Error(`${script} said ${(said as Message).kind}, not ${kind}`);
      return said;
    },
    async kill() {
      child.kill('SIGKILL');
      await ended;
    },
    async stop() {
      child.kill('SIGTERM');
      await ended;
    },
  };
}

function isOf<Said extends Message, Kind extends Said['kind']>(
  said: Said,
  kind: Kind,
): said is Extract<Said, { kind: Kind }> {
  return said.kind === kind;
}

/** Resident memory now, or the most since {@link forgetPeak}, in bytes. */
export async function residentBytes(pid: number, what: 'now' | 'peak'): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  const field = what === 'now' ? /^VmRSS:\s+(\d+) kB/m : /^VmHWM:\s+(\d+) kB/m;
  return Number(field.exec(status)?.[1]) * 1024;
}

/** The peak of resident memory is what it is now (proc(5), `clear_refs`). */
export async function forgetPeak(pid: number): Promise<void> {
  await writeFile(`/proc/${pid}/clear_refs`, '5');
}

/** Of all processors since the machine started, in ticks; `stolen` is what other machines on the same host had of it (proc(5), `/proc/stat`). */
export async function processorTime(): Promise<{ readonly total: number; readonly stolen: number }> {
  const [, ...fields] = ((await readFile('/proc/stat', 'utf8')).split('\n')[0] ?? '').split(/\s+/);
  // user, nice, system, idle, iowait, irq, softirq, steal; those behind it are in `user` already.
  const ticks = fields.slice(0, 8).map(Number);
  return { total: ticks.reduce((sum, each) => sum + each, 0), stolen: ticks[7] ?? 0 };
}
