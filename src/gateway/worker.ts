import type { Avatar } from '../domain/avatar.js';
import { MAX_AUDIO_BYTES } from '../domain/media/audio.js';
import { MAX_IMAGE_BYTES } from '../domain/media/image.js';
import type { ApiKey } from '../modellix/api-key.js';
import type { Submission } from '../modellix/submission.js';
import { StoreUnavailableError } from '../store/store.js';
import { type Crew, IDLE_MS, type Kind, pass } from './pass.js';
import type { Ports } from './ports.js';
import { replayAnswers } from './settle.js';

/**
 * Steps at work at the same time in one process. Those in common are more than `receivers.ts` lets be under way and
 * wait, of receivers and of hosts together, so that there is always room for what takes no time.
 */
const ROOM = { submit: 32, look: 128, common: 512 } as const;
/** The largest media in base64, and what stands around them. */
const MAX_SUBMISSION_BYTES = Math.ceil(((MAX_IMAGE_BYTES + MAX_AUDIO_BYTES) * 4) / 3) + 64 * 1024;
/** As one among the callers. */
const MEMORY_HOLDER = 'queue';
/** How often, and how soon, it is looked again for a new avatar whose turn may be next. */
const MOST_TRIES = 5;
const SOON_MS = 20;
/** How often the store is asked for lanes of keys that are no longer in the pool. */
const LANES_MS = 60_000;

interface Waiting {
  readonly submission: Submission;
  /** Called once: with the work that was begun for it, or `null`. */
  readonly tell: (work: { readonly done: Promise<unknown> } | null) => void;
  /** Passes that did not come to it. */
  tries: number;
}

/**
 * Does what is due. One loop, re-armed after each pass; never two at once. What is under way when it closes is
 * finished, and nothing new is claimed.
 */
export class Worker {
  readonly #ports: Ports;
  readonly #crew: Crew;
  readonly #underWay = new Set<Promise<unknown>>();
  readonly #busy = { submit: 0, look: 0, common: 0 };
  /** Submissions that were read from the store and are still in memory. */
  #reading = 0;
  /** What was accepted here and not yet looked for by a pass. */
  readonly #fresh = new Map<string, Waiting>();
  #lanes: {
    readonly ids: readonly string[];
    readonly keys: readonly ApiKey[];
    readonly readAt: number;
  } | null = null;
  #timer: NodeJS.Timeout | undefined;
  #pass: Promise<void> | undefined;
  #again = false;
  #storeAway = false;

  constructor(ports: Ports) {
    this.#ports = ports;
    this.#crew = {
      room: (kind) => ROOM[kind] - this.#busy[kind],
      begin: (kind, { avatar }, work) => this.#begin(kind, avatar, work),
      atHand: (id) => this.#fresh.get(id)?.submission,
      memory: () => this.#memory(),
    };
  }

  /** Replays what earlier processes could not store, and begins to look for work. */
  start(): void {
    const replay = replayAnswers(this.#ports).then((settled) => Promise.all(settled));
    this.track(
      replay.catch((error: unknown) => this.#ports.log.error({ err: error }, 'the spool cannot be read')),
    );
    this.wake();
  }

  /** Looks for work now rather than at the end of the present sleep. */
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
   * Has the next pass submit a new avatar if its turn has come, with the bytes that are still at hand. Resolves when
   * the submit is settled; at the end of a pass where the avatar has to wait, or is another replica's.
   */
  async submitted(id: string, submission: Submission): Promise<void> {
    const begun = new Promise<{ readonly done: Promise<unknown> } | null>((tell) => {
      this.#fresh.set(id, { submission, tell, tries: 0 });
    });
    this.wake();
    await (await begun)?.done;
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

  #begin(kind: Kind, avatar: Avatar | null, step: () => Promise<unknown>): void {
    this.#busy[kind] += 1;
    const work = step()
      .catch((error: unknown) => this.#stepFailed(avatar, error))
      .finally(() => {
        this.#busy[kind] -= 1;
        this.wake();
      });
    this.track(work);
    if (avatar !== null) this.#tell(avatar.id, work);
  }

  #tell(id: string, done: Promise<unknown> | null): void {
    this.#fresh.get(id)?.tell(done && { done });
    this.#fresh.delete(id);
  }

  /** Nobody waits for ever: one submission is read however little memory there is. */
  #memory(): (() => void) | null {
    const lease = this.#ports.memory.tryAcquire(MEMORY_HOLDER, MAX_SUBMISSION_BYTES);
    if (lease === null && this.#reading > 0) return null;
    const release = lease?.retain();
    this.#reading += 1;
    return () => {
      this.#reading -= 1;
      release?.();
    };
  }

  /** One pass. Returns how long to sleep. */
  async #run(): Promise<number> {
    const asked = [...this.#fresh.keys()];
    try {
      const { sleepMs, moved } = await pass(this.#ports, this.#crew, await this.#allLanes());
      this.#storeIs(true);
      const hopeful = asked.filter((id) => moved && this.#mayBeNext(id));
      for (const id of asked) if (!hopeful.includes(id)) this.#tell(id, null);
      return hopeful.length > 0 ? Math.min(sleepMs, SOON_MS) : sleepMs;
    } catch (error) {
      if (!(error instanceof StoreUnavailableError))
        this.#ports.log.error({ err: error }, 'the worker could not look for work');
      this.#storeIs(false);
      for (const id of asked) this.#tell(id, null);
      return IDLE_MS;
    }
  }

  /** Whether a new avatar that a pass did not come to is worth another one. */
  #mayBeNext(id: string): boolean {
    const waiting = this.#fresh.get(id);
    if (waiting === undefined || this.#ports.stopping.aborted) return false;
    waiting.tries += 1;
    return waiting.tries < MOST_TRIES;
  }

  /** The keys of the pool, and those that were in it once and may have tasks. */
  async #allLanes(): Promise<readonly string[]> {
    const now = performance.now();
    const keys = this.#ports.keyring.keys();
    // A key that was taken out a moment ago has tasks that are looked at without a gap.
    if (this.#lanes === null || this.#lanes.keys !== keys || now - this.#lanes.readAt > LANES_MS) {
      this.#lanes = { ids: await this.#ports.store.lanes(), keys, readAt: now };
    }
    return [...new Set([...keys.map(({ id }) => id), ...this.#lanes.ids])];
  }

  /** The step's lease lapses and the avatar is claimed again. */
  #stepFailed(avatar: Avatar | null, error: unknown): void {
    if (error instanceof StoreUnavailableError) this.#storeIs(false);
    else this.#ports.log.error({ err: error, avatarId: avatar?.id, step: avatar?.step }, 'a step failed');
  }

  #storeIs(reachable: boolean): void {
    if (this.#storeAway === !reachable) return;
    this.#storeAway = !reachable;
    if (reachable) this.#ports.log.info({}, 'the store is reachable');
    else this.#ports.log.warn({}, 'the store is away; the worker waits for it');
  }
}
