/** Commands as the process runs them, in this process. */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import type { Test } from 'tap';
import type { ExitCode } from '../../src/cli/exit-codes.js';
import type { Input, Output } from '../../src/cli/io.js';
import { run } from '../../src/cli/run.js';

const demo = (name: string) => fileURLToPath(new URL(`../demo/${name}`, import.meta.url));

export const PORTRAIT = demo('portrait.jpg');
export const SPEECH = demo('speech.mp3');

/** What makes an avatar of files. */
export const FILES = ['--image', PORTRAIT, '--audio', SPEECH];

/** Keeps what is written, and tells when it was. ESC is kept as ␛. */
export class Written implements Output {
  text = '';
  readonly isTTY: boolean;
  readonly columns = 80;
  readonly #waiting = new Set<() => void>();

  constructor(isTTY = false) {
    this.isTTY = isTTY;
  }

  /** What was written as bytes, and is not in the text. */
  bytes = Buffer.alloc(0);

  write(content: string | Uint8Array, done?: () => void): void {
    if (typeof content === 'string') this.text += content.replaceAll('\x1b', '␛');
    else this.bytes = Buffer.concat([this.bytes, content]);
    done?.();
    for (const look of this.#waiting) look();
  }

  /** Resolves with the match, once there is one. */
  has(pattern: RegExp): Promise<RegExpExecArray> {
    return new Promise((resolve) => {
      const look = () => {
        const match = pattern.exec(this.text);
        if (match === null) return;
        this.#waiting.delete(look);
        resolve(match);
      };
      this.#waiting.add(look);
      look();
    });
  }
}

export interface Command {
  readonly stdout: Written;
  readonly stderr: Written;
  readonly code: Promise<ExitCode>;
  interrupt(): void;
}

export interface CommandOptions {
  readonly isTerminal?: boolean;
  readonly env?: Readonly<Record<string, string>>;
  readonly stdin?: Input;
}

/** Starts a command against a gateway. */
export function start(url: string, args: readonly string[], options: CommandOptions = {}): Command {
  const { isTerminal = false, env = {}, stdin = Readable.from([]) } = options;
  const stdout = new Written(isTerminal);
  const stderr = new Written(isTerminal);
  const interruption = new AbortController();
  const io = { stdin, stdout, stderr, env: { AVATAR_GATEWAY_URL: url, ...env }, signal: interruption.signal };
  return { stdout, stderr, code: run(args, io), interrupt: () => interruption.abort() };
}

/** Runs one to its end. */
export async function ran(url: string, args: readonly string[], options?: CommandOptions) {
  const { stdout, stderr, code } = start(url, args, options);
  return { code: await code, stdout: stdout.text, stderr: stderr.text };
}

/** A folder that goes with the test. */
export async function folder(t: Test): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'avatar-gateway-cli-'));
  t.teardown(() => rm(dir, { recursive: true, force: true }));
  return dir;
}
