import { randomUUID } from 'node:crypto';
import { MAX_AUDIO_BYTES } from '../domain/media/audio/audio.js';
import { MAX_IMAGE_BYTES } from '../domain/media/image/image.js';
import type { Admitted, Begin } from '../store/store.js';
import { type Ports, storeClock } from './ports.js';
import { type BegunHere, giveBack } from './submit.js';

/** Submits under way at the same time in one process. */
const MOST = 256;
/** The largest media in base64, and what stands around them. */
const MAX_SUBMISSION_BYTES = Math.ceil(((MAX_IMAGE_BYTES + MAX_AUDIO_BYTES) * 4) / 3) + 64 * 1024;
/** As one among the callers. */
const MEMORY_HOLDER = 'queue';

/** A request to begin submits from the queue, and memory for those that have to be read. It is repeated until the store says what it began. */
interface BeginRequest {
  readonly begin: Begin;
  readonly limit: number;
  readonly releases: (() => void)[];
  readonly at: number;
}

/** Has the store begin submits: that of an avatar that is being admitted, and those of avatars that wait in the queue. */
export class Submits {
  readonly #ports: Ports;
  /** That the store is asked to begin. */
  #reserved = 0;
  /** Whose submission is in memory. */
  #reading = 0;
  /** Of which it is not known yet what was begun. */
  #asked: BeginRequest | null = null;
  /** That were begun and are under way. */
  underWay = 0;

  constructor(ports: Ports) {
    this.#ports = ports;
  }

  /** How many more there may be. */
  get room(): number {
    return this.#free - this.#reserved;
  }

  get #free(): number {
    return Math.min(MOST, this.#ports.limits.mostSubmits) - this.underWay;
  }

  /** Creations, which begin nothing while somebody waits, do not keep all of it from the queue. */
  get #roomForQueue(): number {
    return Math.max(this.room, Math.min(1, this.#free));
  }

  /** Has the store asked to admit an avatar and begin its submit; with `null` where none may be made now. */
  async asking(admit: (begin: Begin | null) => Promise<Admitted>): Promise<Admitted> {
    await this.#ports.limits.told();
    const begin = this.#mayBegin(this.room);
    const reserved = begin === null ? 0 : 1;
    this.#reserved += reserved;
    try {
      return await admit(begin);
    } finally {
      this.#reserved -= reserved;
    }
  }

  /**
   * Begins what the keys have slots and calls for, of so many in the queue.
   * @param submit makes one, and calls `done` when it is settled
   * @returns how long until more may be begun, in ms; `null` where nothing is in sight
   * @throws {StoreUnavailableError}
   */
  async fromQueue(
    queued: number,
    submit: (begun: BegunHere, done: () => void) => void,
  ): Promise<number | null> {
    const { limits, store } = this.#ports;
    await limits.submitTry.keep();
    if (queued > 0 && this.#roomForQueue > 0) await limits.submitTry.begin();
    this.#asked ??= this.#ask(queued);
    if (this.#asked === null) {
      await this.#dropUnusedTry();
      return null;
    }
    const { begin, limit, releases, at: askedAt } = this.#asked;
    const { begun, waitMs } = await store.begin(begin, limit, releases.length);
    this.#asked = null;
    this.#reserved -= limit;
    for (const { submission: atHand, ...stored } of begun) {
      const release = atHand === null ? releases.pop() : undefined;
      submit({ stored, askedAt, atHand }, () => release?.());
    }
    for (const release of releases) release();
    if (begun.length === 0) await this.#dropUnusedTry();
    return begun.length === limit && queued > limit ? 0 : limits.heed(waitMs);
  }

  /** A reply that was lost may have begun submits. Nothing was sent for them, and another process may. */
  async giveBackLost(): Promise<void> {
    const ports = this.#ports;
    if (this.#asked === null) return;
    try {
      const { begin, limit, releases } = this.#asked;
      const { begun } = await ports.store.begin(begin, limit, releases.length);
      await Promise.all(begun.map((each) => giveBack(ports, each.avatar, storeClock(each)(), each)));
    } catch (error) {
      ports.log.warn({ err: error }, 'what was begun could not be given back; it ends as unconfirmed');
    }
  }

  async #dropUnusedTry(): Promise<void> {
    if (this.underWay + this.#reserved === 0) await this.#ports.limits.submitTry.drop();
  }

  #mayBegin(room: number): Begin | null {
    const { limits, keyring, settings, stopping } = this.#ports;
    if (stopping.aborted || room <= 0) return null;
    const keys = limits.submitTerms(keyring.keys());
    return keys.length === 0 ? null : { intent: randomUUID(), keys, leaseMs: settings.submitLeaseMs };
  }

  #ask(queued: number): BeginRequest | null {
    const room = this.#roomForQueue;
    const begin = queued > 0 ? this.#mayBegin(room) : null;
    if (begin === null) return null;
    const releases: (() => void)[] = [];
    const limit = Math.min(queued, room);
    while (releases.length < limit) {
      const release = this.#memory();
      if (release === null) break;
      releases.push(release);
    }
    this.#reserved += limit;
    return { begin, limit, releases, at: performance.now() };
  }

  /** Nobody waits for ever: one submission is read however little memory there is. Releasing it twice is fine. */
  #memory(): (() => void) | null {
    const lease = this.#ports.memory.tryAcquire(MEMORY_HOLDER, MAX_SUBMISSION_BYTES);
    if (lease === null && this.#reading > 0) return null;
    let release = lease?.retain();
    let held = 1;
    this.#reading += 1;
    return () => {
      this.#reading -= held;
      held = 0;
      release?.();
      release = undefined;
    };
  }
}
