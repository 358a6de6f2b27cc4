/** The main thread's end of the store's thread. */

import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { StoreLockedError, StoreUnavailableError } from '../store.js';
import type { Call, Operations, Outcome, Reply } from './batch.js';
import type { Context, Written } from './context.js';
import type { Opening, ThreadData } from './thread.js';

/** As this file is, JavaScript or not yet. */
const EXTENSION = extname(import.meta.url);
const UNUSABLE = 'the data directory cannot be written or read';

type Args<F> = F extends (cx: Context, ...args: infer A) => unknown ? A : never;

interface Waiter {
  resolve(value: unknown): void;
  reject(error: Error): void;
}

export class Link {
  readonly #worker: Worker;
  readonly #now: () => number;
  readonly #waiters = new Map<number, Waiter>();
  #outgoing: Call[] = [];
  #calls = 0;
  /** Why there are no more answers. */
  #ended: Error | null = null;
  readonly #exited: Promise<void>;
  /** Hears of what was written before those who wait do, and may keep them waiting. */
  onWritten: (written: Written) => Promise<unknown> | null = () => null;

  private constructor(worker: Worker, now: () => number) {
    this.#worker = worker;
    this.#now = now;
    this.#exited = new Promise((resolve) => {
      worker.once('exit', () => {
        this.#end(new StoreUnavailableError('the store is closed'));
        resolve();
      });
    });
    worker.once('error', (cause) => this.#end(new StoreUnavailableError('the store has failed', { cause })));
  }

  /** @returns the link, and what the thread found. @throws StoreLockedError, StoreUnavailableError */
  static async open(
    dir: string,
    now: () => number,
  ): Promise<{ link: Link; files: readonly string[]; quarantined: number }> {
    const workerData: ThreadData = { dir, now: Math.floor(now()) };
    const worker = new Worker(new URL(`./thread${EXTENSION}`, import.meta.url), {
      workerData,
      ...(EXTENSION === '.ts' && { execArgv: [...process.execArgv, '--import', loader()] }),
    });
    const link = new Link(worker, now);
    const opened = await new Promise<Opening>((resolve, reject) => {
      worker.once('message', resolve);
      worker.once('error', reject);
    }).catch((cause) => {
      throw new StoreUnavailableError(`the data directory ${dir} cannot be opened`, { cause });
    });
    if (!opened.opened) {
      await link.#exited;
      throw openError(dir, opened);
    }
    worker.unref();
    worker.on('message', (message: Outcome) => link.#receive(message));
    return { link, files: opened.files, quarantined: opened.quarantined };
  }

  /** Asks the thread for an operation; what is asked in one turn of the event loop goes together. */
  call<N extends keyof Operations>(
    name: N,
    ...args: Args<Operations[N]>
  ): Promise<ReturnType<Operations[N]>> {
    if (this.#ended !== null) return Promise.reject(this.#ended);
    const n = ++this.#calls;
    if (this.#outgoing.length === 0) setImmediate(() => this.#send());
    this.#outgoing.push({ n, now: Math.floor(this.#now()), name, args });
    return new Promise((resolve, reject) => {
      this.#waiters.set(n, { resolve: resolve as (value: unknown) => void, reject });
    });
  }

  async close(): Promise<void> {
    if (this.#ended === null) {
      this.#send();
      this.#ended = new StoreUnavailableError('the store is closed');
      this.#worker.ref();
      this.#worker.postMessage('close');
    }
    await this.#exited;
  }

  #send(): void {
    if (this.#outgoing.length === 0) return;
    const calls = this.#outgoing;
    this.#outgoing = [];
    this.#worker.ref(); // Until it has answered.
    this.#worker.postMessage(calls);
  }

  #receive({ replies, ...written }: Outcome): void {
    const following = this.onWritten(written);
    if (following === null) this.#settle(replies);
    else void following.then(() => this.#settle(replies));
  }

  #settle(replies: readonly Reply[]): void {
    for (const reply of replies) {
      const waiter = this.#waiters.get(reply.n);
      this.#waiters.delete(reply.n);
      if ('value' in reply) waiter?.resolve(reply.value);
      // The disk's fault, or one of the gateway.
      else waiter?.reject(new StoreUnavailableError(UNUSABLE, { cause: reply.error }));
    }
    if (this.#waiters.size === 0 && this.#ended === null) this.#worker.unref();
  }

  #end(error: Error): void {
    this.#ended ??= error;
    for (const { reject } of this.#waiters.values()) reject(error);
    this.#waiters.clear();
  }
}

function openError(dir: string, { reason, error }: Extract<Opening, { opened: false }>): Error {
  if (reason === 'locked') return new StoreLockedError(dir, { cause: error });
  const why =
    reason === 'damaged'
      ? `is damaged: ${error.message}. Nothing was sent; put a backup in its place (docs/containers.md, Backups)`
      : `cannot be opened (${error.message})`;
  return new StoreUnavailableError(`the data directory ${dir} ${why}`, { cause: error });
}

/** Where the process loads TypeScript, its threads do not by themselves. */
function loader(): string {
  const tsx = JSON.stringify(import.meta.resolve('tsx/esm/api'));
  return `data:text/javascript,${encodeURIComponent(`import { register } from ${tsx}; register();`)}`;
}
