import { randomUUID } from 'node:crypto';
import { MAX_AUDIO_BYTES } from '../domain/media/audio/audio.js';
import { MAX_IMAGE_BYTES } from '../domain/media/image/image.js';
import type { Begin } from '../store/store.js';
import { type Ports, storeClock } from './ports.js';
import { type BegunHere, giveBack } from './submit.js';

/** Submits under way at the same time in one process. */
const MOST = 256;
/** The largest media in base64, and what stands around them. */
const MAX_SUBMISSION_BYTES = Math.ceil(((MAX_IMAGE_BYTES + MAX_AUDIO_BYTES) * 4) / 3) + 64 * 1024;
/** As one among the callers. */
const MEMORY_HOLDER = 'queue';

/** A request to begin submits from the queue, and memory for each. It is repeated until the store says what it began. */
interface BeginRequest {
  readonly begin: Begin;
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
    return Math.min(MOST, this.#ports.limits.mostSubmits) - this.underWay - this.#reserved;
  }

  /** Has the store asked to begin a submit; with `null` where none may be made now. */
  async asking<T>(ask: (begin: Begin | null) => Promise<T>): Promise<T> {
    await this.#ports.limits.told();
    const begin = this.#mayBegin();
    this.#reserved += 1;
    try {
      return await ask(begin);
    } finally {
      this.#reserved -= 1;
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
    if (queued > 0) await limits.beginTry();
    this.#asked ??= this.#ask(queued);
    if (this.#asked === null) {
      await limits.dropTry();
      return null;
    }
    const { begin, releases, at: askedAt } = this.#asked;
    const wanted = releases.length;
    const { begun, waitMs } = await store.begin(begin, wanted);
    this.#asked = null;
    this.#reserved -= wanted;
    for (const { submission: atHand, ...stored } of begun) {
      const release = releases.pop();
      // What came along is small.
      if (atHand !== null) release?.();
      submit({ stored, askedAt, atHand }, () => release?.());
    }
    for (const release of releases) release();
    if (begun.length === 0) await limits.dropTry();
    return begun.length === wanted && queued > wanted ? 0 : limits.heed(waitMs);
  }

  /** A reply that was lost may have begun submits. Nothing was sent for them, and another process may. */
  async giveBackLost(): Promise<void> {
    const ports = this.#ports;
    if (this.#asked === null) return;
    try {
      const { begun } = await ports.store.begin(this.#asked.begin, this.#asked.releases.length);
      await Promise.all(begun.map((each) => giveBack(ports, each.avatar, storeClock(each)(), each)));
    } catch (error) {
      ports.log.warn({ err: error }, 'what was begun could not be given back; it ends as unconfirmed');
    }
  }

  #mayBegin(): Begin | null {
    const { limits, keyring, settings, stopping } = this.#ports;
    if (stopping.aborted || this.room <= 0) return null;
    const keys = limits.submitTerms(keyring.keys());
    return keys.length === 0 ? null : { intent: randomUUID(), keys, leaseMs: settings.submitLeaseMs };
  }

  #ask(queued: number): BeginRequest | null {
    const begin = queued > 0 ? this.#mayBegin() : null;
    if (begin === null) return null;
    const releases: (() => void)[] = [];
    const most = Math.min(queued, this.room);
    for (let release = this.#memory(); release !== null; release = this.#memory()) {
      releases.push(release);
      if (releases.length >= most) break;
    }
    this.#reserved += releases.length;
    return releases.length === 0 ? null : { begin, releases, at: performance.now() };
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
