import { type Avatar, isFinal } from '../domain/avatar.js';
import { type Stored, StoreUnavailableError } from '../store/store.js';
import { poll } from './poll.js';
import type { Ports } from './ports.js';
import { replayAnswers } from './settle.js';
import { submit } from './submit.js';

/** Steps at work at the same time in one process. */
const CONCURRENCY = 32;
/** The longest sleep: another replica's avatars fall due without a word to this one. */
const IDLE_MS = 1_000;

/**
 * Takes due avatars and does their next step. One loop, re-armed after each pass; never two at once.
 * What is under way when it closes is finished, and nothing new is claimed.
 */
export class Worker {
  readonly #ports: Ports;
  readonly #underWay = new Set<Promise<unknown>>();
  #timer: NodeJS.Timeout | undefined;
  #pass: Promise<void> | undefined;
  #again = false;
  #storeAway = false;

  constructor(ports: Ports) {
    this.#ports = ports;
  }

  /** Replays what earlier processes could not store, and begins to claim. */
  start(): void {
    const replay = replayAnswers(this.#ports).then((settled) => Promise.all(settled));
    this.track(
      replay.catch((error: unknown) => this.#ports.log.error({ err: error }, 'the spool cannot be read')),
    );
    this.wake();
  }

  /** Looks for due avatars now rather than at the end of the present sleep. */
  wake(): void {
    if (this.#ports.stopping.aborted) return;
    clearTimeout(this.#timer);
    if (this.#pass !== undefined) {
      this.#again = true;
      return;
    }
    this.#pass = this.#run().then((sleepMs) => {
      this.#pass = undefined;
      if (this.#ports.stopping.aborted) return;
      if (this.#again) {
        this.#again = false;
        this.wake();
      } else {
        this.#timer = setTimeout(() => this.wake(), sleepMs);
      }
    });
  }

  /**
   * Does the next step of an avatar that this process holds. The worker waits for it when it closes.
   * @param submission the bytes to submit, where the caller still has them
   */
  async step(stored: Stored, submission?: Buffer): Promise<Avatar | null> {
    const work = this.#step(stored, submission);
    this.#underWay.add(work);
    try {
      return await work;
    } finally {
      this.#underWay.delete(work);
      this.wake();
    }
  }

  /** Has the worker wait for work that is none of its own when it closes. */
  track(work: Promise<unknown>): void {
    this.#underWay.add(work);
    work.finally(() => this.#underWay.delete(work)).catch(() => undefined);
  }

  /** Resolves when nothing is under way. The ports' `stopping` must have been aborted before. */
  async close(): Promise<void> {
    clearTimeout(this.#timer);
    await this.#pass;
    await Promise.allSettled(this.#underWay);
  }

  async #step(stored: Stored, submission?: Buffer): Promise<Avatar | null> {
    const now = await this.#doStep(stored, submission);
    if (now !== null && isFinal(now.status)) {
      const { id, status, attempt, polls } = now;
      this.#ports.counts.ended(status);
      this.#ports.log.info({ avatarId: id, status, attempt, polls }, 'avatar ended');
    }
    return now;
  }

  async #doStep(stored: Stored, submission?: Buffer): Promise<Avatar | null> {
    const { avatar, version } = stored;
    switch (avatar.step) {
      case 'submit':
        return submit(this.#ports, stored, submission);
      case 'poll':
        return poll(this.#ports, stored);
      case 'expire':
        await this.#ports.store.remove(avatar.id, version);
        return null;
    }
  }

  /** One pass. Returns how long to sleep. */
  async #run(): Promise<number> {
    const { store, settings, log, stopping } = this.#ports;
    try {
      const room = CONCURRENCY - this.#underWay.size;
      if (room <= 0 || stopping.aborted) return IDLE_MS;
      for (const stored of await store.claim(room, settings.stepLeaseMs)) {
        this.step(stored).catch((error: unknown) => this.#stepFailed(stored, error));
      }
      const dueInMs = await store.nextDueInMs();
      this.#storeIs(true);
      return Math.min(IDLE_MS, dueInMs ?? IDLE_MS);
    } catch (error) {
      if (!(error instanceof StoreUnavailableError))
        log.error({ err: error }, 'the worker could not look for work');
      this.#storeIs(false);
      return IDLE_MS;
    }
  }

  /** The step's lease lapses and the avatar is claimed again. */
  #stepFailed({ avatar }: Stored, error: unknown): void {
    if (error instanceof StoreUnavailableError) this.#storeIs(false);
    else this.#ports.log.error({ err: error, avatarId: avatar.id, step: avatar.step }, 'a step failed');
  }

  #storeIs(reachable: boolean): void {
    if (this.#storeAway === !reachable) return;
    this.#storeAway = !reachable;
    if (reachable) this.#ports.log.info({}, 'the store is reachable');
    else this.#ports.log.warn({}, 'the store is away; the worker waits for it');
  }
}
