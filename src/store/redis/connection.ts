/**
 * One connection to Redis that fails fast and comes back by itself. A command is sent at most once: it is not queued
 * while Redis is away, and not sent again when its reply was lost.
 */

import { Redis, type RedisOptions } from 'ioredis';
import { StoreUnavailableError } from '../store.js';
import { loadScripts, type ScriptArgument, type ScriptedRedis, type ScriptName } from './scripts.js';

export interface ConnectionOptions {
  /** `redis://` or `rediss://`. It may hold a password: it is never in an error, an event or a log line. */
  readonly url: string;
  /** How long a command may take, and a connection to be made. */
  readonly commandTimeoutMs?: number;
  /** Called on each change, and once if Redis is away at the start. */
  readonly onEvent?: (event: 'connected' | 'lost', error?: StoreUnavailableError) => void;
  /**
   * Called on each new connection before any command passes. Where it rejects, the connection is given up and made
   * again after a pause.
   */
  readonly prepare?: (client: Redis) => Promise<void>;
  /** Each write waits for this many replicas to have it (WAIT), and for this many append-only files (WAITAOF). */
  readonly waitFor?: { readonly replicas: number; readonly ownFile: boolean };
}

const LONGEST_BACKOFF_MS = 2000;

export class Connection {
  readonly #client: ScriptedRedis;
  readonly #waitFor: { readonly replicas: number; readonly ownFile: boolean };
  readonly #waitMs: number;
  #state: 'connected' | 'lost' | null = null;
  #lastError: StoreUnavailableError | undefined;
  #closing: Promise<void> | null = null;

  constructor(options: ConnectionOptions) {
    const { url, commandTimeoutMs = 5000, onEvent = () => {}, prepare = async () => {} } = options;
    this.#client = connect(url, commandTimeoutMs);
    this.#waitFor = options.waitFor ?? { replicas: 0, ownFile: false };
    this.#waitMs = commandTimeoutMs / 2;
    const change = (state: 'connected' | 'lost'): void => {
      if (this.#state === state || this.#closing !== null) return;
      this.#state = state;
      if (state === 'connected') this.#lastError = undefined;
      onEvent(state, this.#lastError);
    };
    this.#client.on('ready', () => {
      prepare(this.#client).then(
        () => change('connected'),
        (error: unknown) => {
          this.#lastError = unavailable(error);
          if (this.#closing === null) this.#client.disconnect(true);
        },
      );
    });
    this.#client.on('close', () => change('lost'));
    this.#client.on('error', (error) => {
      this.#lastError = unavailable(error);
    });
  }

  /** @throws StoreUnavailableError */
  run(script: ScriptName, keys: readonly string[], ...args: ScriptArgument[]): Promise<unknown> {
    return this.use((client) => client[`avatar.${script}Buffer`](keys.length, ...keys, ...args));
  }

  /**
   * Runs a script that writes, and does not resolve before the write is where the connection was told to wait for.
   * @throws StoreUnavailableError also where too few have it in time: it may be lost, or not
   */
  async write(script: ScriptName, keys: readonly string[], ...args: ScriptArgument[]): Promise<unknown> {
    const { replicas, ownFile } = this.#waitFor;
    return this.use(async (client) => {
      const written = client[`avatar.${script}Buffer`](keys.length, ...keys, ...args);
      // On the same connection right behind the write, so that it is this write they wait for.
      const waits = [
        ...(replicas > 0 ? [client.wait(replicas, this.#waitMs).then((count) => count >= replicas)] : []),
        ...(ownFile ? [inOwnFile(client, this.#waitMs)] : []),
      ];
      const [result, ...kept] = await Promise.all([written, ...waits]);
      if (kept.includes(false))
        throw new StoreUnavailableError('too few copies of a write were made in time');
      return result;
    });
  }

  /** Sends what is no script. @throws StoreUnavailableError */
  async use<T>(command: (client: ScriptedRedis) => Promise<T>): Promise<T> {
    if (this.#closing !== null) throw new StoreUnavailableError('the store is closed');
    if (this.#client.status !== 'ready' || this.#state !== 'connected') throw this.#lastError ?? away();
    try {
      return await command(this.#client);
    } catch (error) {
      throw unavailable(error);
    }
  }

  /** A connection of its own, to hear what is published; it comes back by itself, and subscribes again. */
  subscriber(): Redis {
    return this.#client.duplicate({
      scripts: {},
      enableOfflineQueue: true,
      commandTimeout: undefined,
      socketTimeout: undefined,
      maxRetriesPerRequest: null,
    } as RedisOptions);
  }

  close(): Promise<void> {
    this.#closing ??= this.#end();
    return this.#closing;
  }

  async #end(): Promise<void> {
    // Lets what was sent be answered; where Redis is away, there is nothing to wait for.
    if (this.#client.status === 'ready') await this.#client.quit().catch(() => {});
    this.#client.disconnect();
  }
}

function connect(url: string, timeoutMs: number): ScriptedRedis {
  try {
    return new Redis(url, {
      scripts: loadScripts(),
      enableOfflineQueue: false,
      autoResendUnfulfilledCommands: false,
      // With resending off, ioredis forgets what was under way without settling it, unless told to flush each time.
      maxRetriesPerRequest: 0,
      connectTimeout: timeoutMs,
      commandTimeout: timeoutMs,
      // A connection that went silent is given up with the command that found out.
      socketTimeout: timeoutMs,
      retryStrategy: (attempt) =>
        Math.min(25 * 2 ** Math.min(attempt, 10), LONGEST_BACKOFF_MS) * (0.75 + Math.random() / 4),
    }) as ScriptedRedis;
  } catch {
    // The cause quotes the URL.
    throw new TypeError('the Redis URL cannot be read');
  }
}

/**
 * What went wrong, without the error of ioredis as its cause: that one carries the command's arguments (the media,
 * and for AUTH the password) and the address.
 */
function unavailable(error: unknown): StoreUnavailableError {
  if (error instanceof StoreUnavailableError) return error;
  if (error instanceof Error && error.name === 'ReplyError') {
    const [code = ''] = error.message.split(' ', 1);
    return new StoreUnavailableError(`Redis refused (${/^[A-Z]+$/.test(code) ? code : 'ERR'})`);
  }
  if (error instanceof Error && error.message === 'Command timed out') {
    return new StoreUnavailableError('Redis did not answer in time');
  }
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return /^E[A-Z]+$/.test(code) ? new StoreUnavailableError(`Redis cannot be reached (${code})`) : away();
}

const away = (): StoreUnavailableError => new StoreUnavailableError('Redis cannot be reached');

/** WAITAOF, of Redis 7.2: the master's own append-only file. */
async function inOwnFile(client: Redis, waitMs: number): Promise<boolean> {
  const [own] = (await client.call('WAITAOF', 1, 0, waitMs)) as [number, number];
  return own >= 1;
}
