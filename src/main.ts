#!/usr/bin/env node
/** The process: what it is asked to be, signals, the exit code. A server, unless a command is named. */

import { readFileSync, statSync } from 'node:fs';
import { setDefaultAutoSelectFamilyAttemptTimeout } from 'node:net';
import { parseArgs } from 'node:util';

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

/** Stdout cannot be written. */
const EXIT_FAILED = 1;
/** An argument is wrong. */
const EXIT_USAGE = 2;

/**
 * How long each address of a host, but for the last, may take to connect, in every connection of the process. With Node's
 * default, 250 ms, a far host with a second address that leads nowhere is never reached.
 */
const CONNECT_TO_ONE_MS = 2_000;
setDefaultAutoSelectFamilyAttemptTimeout(CONNECT_TO_ONE_MS);

function stopWith(message: string, code: number): never {
  process.stderr.write(`avatar-gateway: ${message}\n`);
  process.exit(code);
}

// Whoever read them may be gone. That ends a command, which writes results to stdout, and nothing else.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});

readEnvFile('.env');

// Each is loaded when it is asked for: a command does not wait for the server to load, nor the server for commands.
const args = process.argv.slice(2);
const first = args[0];
if (first === 'healthcheck') {
  const { isAlive } = await import('./healthcheck.js');
  process.exit((await isAlive(process.env)) ? 0 : 1);
} else if (first === undefined || first === 'serve' || first.startsWith('-')) {
  await beServer(first === 'serve' ? args.slice(1) : args);
} else {
  await beCommand(args);
}

/** Settings for the folder the process is started in, where there are some; the environment goes before them. */
function readEnvFile(file: string): void {
  if (!statSync(file, { throwIfNoEntry: false })?.isFile()) return;
  try {
    process.loadEnvFile(file);
  } catch (error) {
    stopWith(`${file} cannot be read (${(error as NodeJS.ErrnoException).code})`, EXIT_USAGE);
  }
}

async function beServer(args: string[]): Promise<void> {
  const { help, version: isVersionAsked } = readOptions(args);
  if (help) {
    process.stdout.write(await usage());
  } else if (isVersionAsked) {
    process.stdout.write(`${version}\n`);
  } else {
    const { serve } = await import('./serve.js');
    await serve(version, stopWith);
  }
}

function readOptions(args: string[]) {
  try {
    return parseArgs({
      args,
      options: { help: { type: 'boolean', short: 'h' }, version: { type: 'boolean', short: 'v' } },
    }).values;
  } catch (error) {
    stopWith((error as Error).message, EXIT_USAGE);
  }
}

async function usage(): Promise<string> {
  const [{ COMMANDS_HELP }, { SETTINGS }] = await Promise.all([
    import('./cli/program.js'),
    import('./config/setting-list.js'),
  ]);
  const settings = SETTINGS.map(
    ({ name, description, fallback }) =>
      `  ${name.padEnd(33)} ${description}${fallback === undefined ? '' : ` [${fallback}]`}\n`,
  );
  return `avatar-gateway ${version}\n\n${COMMANDS_HELP}\nSettings of the server are environment variables:\n\n${settings.join('')}`;
}

async function beCommand(args: string[]): Promise<void> {
  const { run } = await import('./cli/run.js');
  const interruption = new AbortController();
  const interrupt = () => interruption.abort();
  // Once: a second one ends the process, whatever it is at.
  process.once('SIGINT', interrupt).once('SIGTERM', interrupt);
  let isLost = false;
  process.stdout.on('error', ({ code }: NodeJS.ErrnoException) => {
    // Whoever reads what is written may leave early, as `head` does.
    if (code !== 'EPIPE' && !isLost) {
      isLost = true;
      process.stderr.write(`avatar-gateway: stdout cannot be written (${code})\n`);
    }
    interrupt();
  });
  const exitCode = await run(args, {
    // Opened where it is asked for alone.
    get stdin() {
      return process.stdin;
    },
    stdout: process.stdout,
    stderr: process.stderr,
    env: process.env,
    signal: interruption.signal,
  });
  process.exitCode = isLost ? EXIT_FAILED : exitCode;
}
