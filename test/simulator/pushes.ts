import { randomUUID } from 'node:crypto';
import { EventEmitter, once, setMaxListeners } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import type { Settings } from './settings.js';
import type { Task, Tasks } from './tasks.js';

/** One try to push. */
export interface PushEntry {
  readonly at: number;
  readonly taskId: string;
  readonly url: string;
  readonly forged: boolean;
  /** How often it was tried before. */
  readonly retry: number;
  /** What it was answered with; `null` where it was not. */
  status: number | null;
}

export interface PushParts {
  readonly settings: () => Settings['pushes'];
  readonly tasks: Tasks;
  readonly now: () => number;
  readonly random: () => number;
}

/** Whom to tell of a task, and what. */
interface Followed {
  readonly url: string;
  readonly body: () => Buffer;
}

const LONGEST_MS = 2 ** 31 - 1;
const TIMEOUT_MS = 10_000;
/** A push that failed is tried again so often. */
const RETRIES = 5;

/** Says when tasks have ended, as Modellix does: at least once, if nothing else is set. */
export class Pushes {
  readonly #parts: PushParts;
  readonly #followed = new Map<string, Followed>();
  readonly #tried = new EventEmitter<{ push: [PushEntry] }>();
  readonly #closing = new AbortController();
  #entries: PushEntry[] = [];

  constructor(parts: PushParts) {
    this.#parts = parts;
    setMaxListeners(0, this.#closing.signal);
  }

  /** Pushes a task when it has ended. @param body what it is told with, as a query would be answered then */
  follow(task: Task, url: string, body: () => Buffer): void {
    this.#followed.set(task.id, { url, body });
    void this.#whenEnded(task).catch(() => undefined); // It closes.
  }

  push(task: Task, { forged = false }: { readonly forged?: boolean }): void {
    void this.#deliver(task, forged).catch(() => undefined);
  }

  all(): PushEntry[] {
    return [...this.#entries];
  }

  async next(): Promise<PushEntry> {
    const [entry] = (await once(this.#tried, 'push')) as [PushEntry];
    return entry;
  }

  clear(): void {
    this.#entries = [];
    this.#followed.clear();
  }

  close(): void {
    this.#closing.abort();
  }

  async #whenEnded(task: Task): Promise<void> {
    const { settings, tasks, random } = this.#parts;
    const { signal } = this.#closing;
    await tasks.waitFinal(task, LONGEST_MS, signal);
    const { neverShare, twiceShare, forgedShare, afterMs } = settings();
    if (!tasks.isFinal(task) || random() < neverShare) return;
    const later = () => pause(afterMs.min + random() * (afterMs.max - afterMs.min), undefined, { signal });
    if (random() < forgedShare) this.push(task, { forged: true });
    if (random() < twiceShare)
      void later().then(
        () => this.push(task, {}),
        () => undefined,
      );
    await later();
    await this.#deliver(task, false);
  }

  /** Until it is acknowledged, or refused for good. */
  async #deliver(task: Task, forged: boolean): Promise<void> {
    const followed = this.#followed.get(task.id);
    if (followed === undefined) throw new RangeError(`no X-Webhook-URL came with ${task.id}`);
    const deliveryId = randomUUID();
    for (let retry = 0; retry <= RETRIES && !this.#closing.signal.aborted; retry++) {
      const { origins, retryMs } = this.#parts.settings();
      if (retry > 0) await pause(retryMs * 2 ** (retry - 1), undefined, { signal: this.#closing.signal });
      const url = this.#target(followed.url, origins, forged);
      const entry: PushEntry = { at: this.#parts.now(), taskId: task.id, url, forged, retry, status: null };
      this.#entries.push(entry);
      entry.status = await this.#send(task, entry, deliveryId, followed.body());
      this.#tried.emit('push', entry);
      if (entry.status !== null && entry.status !== 429 && entry.status < 500) return;
    }
  }

  #target(given: string, origins: readonly string[], forged: boolean): string {
    const { pathname, origin } = new URL(given);
    const instead = origins[Math.floor(this.#parts.random() * origins.length)] ?? origin;
    // Another of the token's last letter, which is of the signature.
    return `${instead}${forged ? pathname.replace(/.$/, (last) => (last === 'A' ? 'Q' : 'A')) : pathname}`;
  }

  async #send(
    task: Task,
    { url, retry }: PushEntry,
    deliveryId: string,
    body: Buffer,
  ): Promise<number | null> {
    const status = this.#parts.tasks.status(task);
    const event = status === 'failed' ? 'failed' : 'succeeded';
    try {
      const response = await fetch(url, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          'x-modellix-event': `prediction.task.${event}`,
          'x-modellix-task-id': task.id,
          'x-modellix-delivery-id': deliveryId,
          'x-modellix-retry-count': String(retry),
        },
        body: new Uint8Array(body),
        redirect: 'manual',
        signal: AbortSignal.any([this.#closing.signal, AbortSignal.timeout(TIMEOUT_MS)]),
      });
      await response.arrayBuffer();
      return response.status;
    } catch {
      return null;
    }
  }
}
