import { readFile } from 'node:fs/promises';
import { type AvatarGatewayClient, createClient } from '../client/index.js';
import { UsageError } from './failure.js';
import type { Input, Io, Output } from './io.js';
import { Progress } from './progress.js';
import { shown } from './text.js';

const DEFAULT_URL = 'http://127.0.0.1:8080';
/** Some seconds: whoever looks on learns that the URL is wrong, and a gateway that restarts is met again. */
const MAX_RETRIES = 3;

/** What every command takes. */
export interface CommonOptions {
  readonly url?: string;
  readonly keyFile?: string;
  readonly json?: boolean;
  readonly quiet?: boolean;
  /** In seconds. */
  readonly requestTimeout?: number;
}

/** What a command works with. */
export interface Session {
  readonly client: AvatarGatewayClient;
  readonly signal: AbortSignal;
  readonly isJson: boolean;
  readonly stdin: Input;
  readonly stdout: Output;
  /** Of the terminal that results go to; `null` where they go elsewhere. */
  readonly columns: number | null;
  /** Writes a result. */
  print(text: string): void;
  /** Says how it goes, in one line, where that is wanted. */
  note(text: string): void;
  /** Says what went wrong, in one line. */
  complain(text: string): void;
  progress(): Progress;
}

/** @throws {UsageError} */
export async function openSession(io: Io, options: CommonOptions): Promise<Session> {
  const { stdout, stderr, env, signal } = io;
  const isQuiet = options.quiet === true;
  const apiKey = await keyFrom(options.keyFile, env.AVATAR_GATEWAY_KEY);
  const client = clientOf(options, env.AVATAR_GATEWAY_URL, apiKey);
  return {
    client,
    signal,
    get stdin() {
      return io.stdin;
    },
    stdout,
    isJson: options.json === true,
    columns: stdout.isTTY ? (stdout.columns ?? null) : null,
    print: (text) => void stdout.write(text),
    note: (text) => void (isQuiet || stderr.write(`${shown(text)}\n`)),
    complain: (text) => void stderr.write(`avatar-gateway: ${shown(text)}\n`),
    progress: () =>
      isQuiet
        ? new Progress({ write: () => undefined }, false)
        : new Progress(stderr, stderr.isTTY === true && env.TERM !== 'dumb'),
  };
}

function clientOf(
  { url, requestTimeout }: CommonOptions,
  variable: string | undefined,
  apiKey: string | undefined,
) {
  try {
    return createClient({
      ...{ baseUrl: url ?? (variable || DEFAULT_URL), apiKey, maxRetries: MAX_RETRIES },
      requestTimeoutMs: requestTimeout === undefined ? undefined : requestTimeout * 1000,
    });
  } catch {
    const name = url === undefined ? 'AVATAR_GATEWAY_URL' : '--url';
    throw new UsageError(`${name} is not where a gateway can be: http or https, a host and a path alone`);
  }
}

/** A key is never an argument: whoever is on the machine can read those in the list of processes. */
async function keyFrom(file: string | undefined, variable: string | undefined): Promise<string | undefined> {
  if (file === undefined) return variable ? keyIn(variable, 'AVATAR_GATEWAY_KEY') : undefined;
  const text = await readFile(file, 'utf8').catch(({ code }: NodeJS.ErrnoException) => {
    throw new UsageError(`--key-file ${file} cannot be read (${code})`);
  });
  return keyIn(text, `--key-file ${file}`);
}

/** Shows nothing of it: what is wrong here may still be most of a key. */
function keyIn(text: string, source: string): string {
  const key = text.trim();
  if (!/^[\x21-\x7e]+$/.test(key)) throw new UsageError(`${source} holds no key: one line of visible ASCII`);
  return key;
}
