/**
 * One connection to the Redis that holds the store, which fails fast and comes back by itself. A command is sent at most
 * once: it is not queued while Redis is away, and not sent again when its reply was lost.
 *
 * With Sentinel or Cluster it is one connection, too: every key has one hash tag, so one master has them all. Which one
 * is asked on each connect, and again at each sign that another has taken over.
 */

import type { Redis } from 'ioredis';
import { StoreUnavailableError } from '../../store.js';
import { type Arguments, loadScripts, type ScriptArgument, type ScriptName } from '../scripts/scripts.js';
import type { Target } from './access.js';
import { type ClientOptions, type Located, locatedClient, type Node } from './connector.js';
import { Copies, type WaitFor } from './copies.js';
import { nodeOf } from './node.js';
import { away, refusalOf, unavailable } from './unavailable.js';

export interface ConnectionOptions extends Target {
  /** What every key has in braces. */
  readonly hashTag: string;
  /** How long a command may take, and a connection to be made. */
  readonly commandTimeoutMs?: number;
  /** Called on each change, and once if Redis is away at the start. */
  readonly onEvent: (event: 'connected' | 'lost', error?: StoreUnavailableError) => void;
  /**
   * Called on each new connection before any command passes. Where it rejects, the connection is given up and made
   * again after a pause.
   */
  readonly prepare: (client: Redis) => Promise<void>;
  /** Each write waits for these copies of it. */
  readonly waitFor?: WaitFor;
}

/** Refusals by a node that is not the master, or no longer that of our slot. The name may lead to another one by now. */
const NOT_HERE = new Set(['READONLY', 'MOVED']);
/** A master that was replaced while it was cut off may not know, and still take writes that will be lost. */
const LOOK_EVERY_MS = 5000;
const LONGEST_BACKOFF_MS = 2000;
const CLUSTER =
  'this Redis is a node of a Cluster, and has not all keys: write redis+cluster:// in REDIS_URL';

/** What is known of one connection. Work on one is not carried on with the next. */
interface Session {
  readonly copies: Copies;
  /** Scripts that Redis was sent whole. */
  readonly sent: Set<ScriptName>;
}

export class Connection {
  readonly #node: Node;
  readonly #client: Redis;
  readonly #base: string;
  readonly #scripts = loadScripts();
  readonly #at: Located['at'];
  readonly #timeoutMs: number;
  readonly #prepare: (client: Redis) => Promise<void>;
  readonly #onEvent: (event: 'connected' | 'lost', error?: StoreUnavailableError) => void;
  readonly #lookout: NodeJS.Timeout | undefined;
  #looking = false;
  #session: Session;
  #state: 'connected' | 'lost' | null = null;
  /** Attempts since the last connection that was of use. */
  #attempts = 0;
  #lastError: StoreUnavailableError | undefined;
  #closing: Promise<void> | null = null;

  /** @throws TypeError where the target cannot be read; it quotes nothing of it */
  constructor(options: ConnectionOptions) {
    const { commandTimeoutMs = 5000, waitFor = { replicas: 0, ownFile: false } } = options;
    this.#timeoutMs = commandTimeoutMs;
    this.#prepare = options.prepare;
    this.#onEvent = options.onEvent;
    this.#node = nodeOf(options, options.hashTag);
    this.#base = `{${options.hashTag}}:`;
    const { client, at } = locatedClient(this.#node, {
      db: this.#node.db,
      connectTimeout: commandTimeoutMs,
      enableOfflineQueue: false,
      autoResendUnfulfilledCommands: false,
      // With resending off, ioredis forgets what was under way without settling it, unless told to flush each time.
      maxRetriesPerRequest: 0,
      commandTimeout: commandTimeoutMs,
      // A connection that went silent is given up with the command that found out.
      socketTimeout: commandTimeoutMs,
      retryStrategy: () => backoffMs(++this.#attempts),
    });
    this.#client = client;
    this.#at = at;
    const session = (): Session => ({
      copies: new Copies(client, waitFor, commandTimeoutMs / 2),
      sent: new Set(),
    });
    this.#session = session();
    client.on('ready', () => void this.#greet());
    client.on('close', () => {
      this.#session.copies.end();
      this.#session = session();
      this.#change('lost');
    });
    client.on('error', (error) => {
      this.#lastError = this.#known(error);
    });
    if (this.#node.moves) {
      this.#lookout = setInterval(() => this.#lookAgain(), LOOK_EVERY_MS).unref();
    }
  }

  /** A key of the store, by its name. */
  key(...name: readonly string[]): string {
    return this.#base + name.join(':');
  }

  /** @param key what the script finds as KEYS[1], unless it makes its keys itself. @throws StoreUnavailableError */
  run<S extends ScriptName>(script: S, args: Arguments<S>, key?: string): Promise<unknown> {
    return this.use(async (client) => (await this.#evaluate(client, script, args, key)).result);
  }

  /**
   * Runs a script that writes, and does not resolve before the write is where the connection was told to wait for. That is asked
   * right behind the script, in the same round trip.
   * @param hasWritten where it often writes nothing: then what it says decides whether there is anything to wait for
   * @throws StoreUnavailableError also where too few have it in time: it may be lost, or not
   */
  async write<S extends ScriptName>(
    script: S,
    args: Arguments<S>,
    hasWritten?: (result: unknown) => boolean,
  ): Promise<unknown> {
    const deadline = performance.now() + this.#timeoutMs;
    return this.use(async (client) => {
      const { copies } = this.#session;
      const copied = () => copies.made(deadline - performance.now());
      const evaluated = this.#evaluate(client, script, args);
      const asked = hasWritten === undefined ? copied() : null;
      asked?.catch(() => {}); // It matters only where the script was run.
      const { result, isSecond } = await evaluated;
      const isAsked = asked !== null && !isSecond;
      const isDone = isAsked ? await asked : hasWritten?.(result) === false || (await copied());
      if (!isDone) {
        this.#lookAgain();
        throw new StoreUnavailableError('too few copies of a write were made in time');
      }
      return result;
    });
  }

  /** Sends what is no script. @throws StoreUnavailableError */
  async use<T>(command: (client: Redis) => Promise<T>): Promise<T> {
    if (this.#closing !== null) throw new StoreUnavailableError('the store is closed');
    if (this.#client.status !== 'ready' || this.#state !== 'connected') throw this.#lastError ?? away();
    const session = this.#session;
    this.#gather();
    try {
      return await command(this.#client);
    } catch (error) {
      const known = this.#known(error);
      const refusal = refusalOf(error);
      if (refusal !== null && session === this.#session) {
        if (NOT_HERE.has(refusal)) this.#leave(known);
        else this.#lookAgain();
      }
      throw known;
    }
  }

  /** What is sent in one turn of the event loop leaves in one write: each costs both sides more than the command in it. */
  #gather(): void {
    const { stream } = this.#client;
    if (stream.writableCorked > 0) return;
    stream.cork();
    setImmediate(() => stream.uncork());
  }

  /** Another connection to where this one is, which comes back by itself; `null` while it is nowhere. */
  beside(options: ClientOptions): Redis | null {
    const { endpoint } = this.#at;
    if (this.#state !== 'connected' || endpoint === null) return null;
    const node = { ...this.#node, locate: async () => endpoint };
    return locatedClient(node, { ...options, connectTimeout: this.#timeoutMs, retryStrategy: backoffMs })
      .client;
  }

  close(): Promise<void> {
    this.#closing ??= this.#end();
    return this.#closing;
  }

  /** `isSecond`: Redis had forgotten the script, so that what was sent behind it came before it. */
  async #evaluate<S extends ScriptName>(client: Redis, script: S, args: Arguments<S>, key = this.#base) {
    const { lua, sha, names } = this.#scripts[script];
    const given: Readonly<Record<string, ScriptArgument>> = args;
    const values = names.map((name) => given[name] ?? '');
    const run = (command: string, which: string) => client.callBuffer(command, which, 1, key, ...values);
    const { sent } = this.#session;
    if (!sent.has(script)) {
      sent.add(script);
      return { result: await run('EVAL', lua), isSecond: false };
    }
    try {
      return { result: await run('EVALSHA', sha), isSecond: false };
    } catch (error) {
      if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error;
      return { result: await run('EVAL', lua), isSecond: true };
    }
  }

  async #greet(): Promise<void> {
    const session = this.#session;
    try {
      // The client has done so, and would go on with another database where that was refused.
      if (this.#node.db !== 0) await this.#client.select(this.#node.db);
      await this.#prepare(this.#client);
      if (session === this.#session) this.#change('connected');
    } catch (error) {
      if (session === this.#session) this.#leave(this.#known(error));
    }
  }

  #change(state: 'connected' | 'lost'): void {
    if (this.#state === state || this.#closing !== null) return;
    this.#state = state;
    if (state === 'connected') {
      this.#attempts = 0;
      this.#lastError = undefined;
    }
    this.#onEvent(state, this.#lastError);
  }

  #known(error: unknown): StoreUnavailableError {
    const isCluster = refusalOf(error) === 'MOVED' && !this.#node.moves;
    return isCluster ? new StoreUnavailableError(CLUSTER) : unavailable(error);
  }

  /** Gives the connection up, for one to where the master then is. */
  #leave(error: StoreUnavailableError): void {
    if (this.#closing !== null) return;
    this.#lastError = error;
    if (this.#state === 'connected') this.#change('lost');
    this.#client.disconnect(true);
  }

  /** Asks who is the master, and leaves where it is another one. */
  async #lookAgain(): Promise<void> {
    if (!this.#node.moves || this.#looking || this.#state !== 'connected') return;
    const session = this.#session;
    this.#looking = true;
    try {
      const master = await this.#node.locate();
      const { endpoint } = this.#at;
      const isSame = master.host === endpoint?.host && master.port === endpoint.port;
      if (session !== this.#session || isSame) return;
      this.#leave(new StoreUnavailableError('another Redis has become the master'));
    } catch {
      // Who knows nothing better stays.
    } finally {
      this.#looking = false;
    }
  }

  async #end(): Promise<void> {
    clearInterval(this.#lookout);
    // Lets what was sent be answered; where Redis is away, there is nothing to wait for.
    if (this.#client.status === 'ready') await this.#client.quit().catch(() => {});
    this.#client.disconnect();
  }
}

/** How long to wait before a node is looked for again. */
function backoffMs(attempt: number): number {
  return Math.min(25 * 2 ** Math.min(attempt, 10), LONGEST_BACKOFF_MS) * (0.75 + Math.random() / 4);
}
