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
  /** In the order of their calls. */
  readonly #waiters: Waiter[] = [];
  #outgoing: Call[] = [];
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
    worker.on('message', (message: Outcome) => void link.#receive(message));
    return { link, files: opened.files, quarantined: opened.quarantined };
  }

  /** Asks the thread for an operation; what is asked in one turn of the event loop goes together. */
  call<N extends keyof Operations>(
    name: N,
    ...args: Args<Operations[N]>
  ): Promise<ReturnType<Operations[N]>> {
    if (this.#ended !== null) return Promise.reject(this.#ended);
    if (this.#outgoing.length === 0) setImmediate(() => this.#send());
    this.#outgoing.push({ now: Math.floor(this.#now()), name, args });
    return new Promise((resolve, reject) => {
      this.#waiters.push({ resolve: resolve as (value: unknown) => void, reject });
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

  async #receive({ replies, ...written }: Outcome): Promise<void> {
    const waiters = this.#waiters.splice(0, replies.length);
    const following = this.onWritten(written);
    if (following !== null) await following;
    for (const [i, { resolve, reject }] of waiters.entries()) {
      const reply = replies[i] as Reply;
      if ('value' in reply) resolve(reply.value);
      // The disk's fault, or one of the gateway.
      else reject(new StoreUnavailableError(UNUSABLE, { cause: reply.error }));
    }
    if (this.#waiters.length === 0 && this.#ended === null) this.#worker.unref();
  }

  #end(error: Error): void {
    this.#ended ??= error;
    for (const { reject } of this.#waiters.splice(0)) reject(error);
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
