import { randomUUID } from 'node:crypto';
import type { Avatar } from '../domain/avatar.js';
import { MAX_AUDIO_BYTES } from '../domain/media/audio/audio.js';
import { MAX_IMAGE_BYTES } from '../domain/media/image/image.js';
import type { ApiKey } from '../modellix/api-key.js';
import { type Begin, type Outlook, StoreUnavailableError } from '../store/store.js';
import { deliver } from './callbacks/deliver.js';
import { lapsed } from './outcome.js';
import { endUnheard, poll, UNHEARD_MS } from './poll.js';
import { type Ports, storeClock } from './ports.js';
import { replayAnswers, type Settled } from './settle.js';
import { type BegunHere, giveBack, submit } from './submit.js';
import { keep } from './video/keep.js';

/** What a step does: a submit, a poll, or something that needs no call to Modellix. */
type Kind = 'submit' | 'poll' | 'common';

/**
 * Steps at work at the same time in one process. Those in common are more than `origin-gate.ts` lets be under
 * way, to receivers and to hosts together, so that there is always room for what takes no time.
 */
const ROOM: Readonly<Record<Kind, number>> = { submit: 256, poll: 128, common: 256 };
/** Of what needs no call, so many are claimed in one go. */
const CLAIMED_AT_ONCE = 64;
/** The longest sleep: what other replicas queue or leave undone is found then, and limits may have been raised. */
const IDLE_MS = 1_000;
/** Between the beginnings of two passes: what makes work comes in bursts. */
const PAUSE_MS = 20;
/** The largest media in base64, and what stands around them. */
const MAX_SUBMISSION_BYTES = Math.ceil(((MAX_IMAGE_BYTES + MAX_AUDIO_BYTES) * 4) / 3) + 64 * 1024;
/** As one among the callers. */
const MEMORY_HOLDER = 'queue';
/** How often the store is asked for keys that are no longer in the pool and have tasks. */
const KEY_IDS_MS = 60_000;

/** How long until there is something to do for a part of a pass; `null`: nothing is in sight. */
type Sleep = number | null;

/** A request to begin submits from the queue, and memory for each. It is repeated until the store says what it began. */
interface Asked {
  readonly begin: Begin;
  readonly releases: (() => void)[];
  readonly at: number;
}

/**
 * Does what is due: what needs no call, submits from the queue, polls. One loop; never two passes at once. It runs when there
 * may be work: something was queued, a step ended, something is due. What is under way when it closes is finished,
 * and nothing new is claimed.
 */
export class Worker {
  readonly #ports: Ports;
  readonly #underWay = new Set<Promise<unknown>>();
  readonly #busy: Record<Kind, number> = { submit: 0, poll: 0, common: 0 };
  /** Submits that the store is asked to begin. */
  #reserved = 0;
  /** Submissions whose memory is taken. */
  #reading = 0;
  /** Of which it is not known yet what was begun. */
  #asked: Asked | null = null;
  #keyIds: { readonly ids: readonly string[]; readonly keys: readonly ApiKey[]; readonly at: number } | null =
    null;
  #timer: NodeJS.Timeout | undefined;
  #passing: Promise<void> | undefined;
  #wakeAt = Number.POSITIVE_INFINITY;
  #passedAt = Number.NEGATIVE_INFINITY;
  #storeAway = false;

  constructor(ports: Ports) {
    this.#ports = ports;
  }

  /** Replays what earlier processes could not store, and begins to look for work. */
  start(): void {
    const replay = replayAnswers(this.#ports).then((settled) => Promise.all(settled));
    this.track(
      replay.catch((error: unknown) => this.#ports.log.error({ err: error }, 'the spool cannot be read')),
    );
    this.wake();
  }

  /** Looks for work now, or in some ms, rather than at the end of the present sleep. */
  wake(inMs = 0): void {
    const at = Math.max(performance.now() + inMs, this.#passedAt + PAUSE_MS);
    if (at >= this.#wakeAt || this.#ports.stopping.aborted) return;
    this.#wakeAt = at;
    if (this.#passing === undefined) this.#sleep();
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

  /** Submits what was begun. Resolves with the avatar as it is then; `null` where that is not known. */
  async submit(begun: BegunHere): Promise<Settled | null> {
    const settled = await this.#run('submit', begun.stored.avatar, () => submit(this.#ports, begun));
    // An accepted one keeps its slot, so there is nothing to do but to poll it in time, unless it made room for others.
    this.wake(settled?.avatar.status === 'pending' && this.#room('submit') > 2 ? settled.dueInMs : 0);
    return settled ?? null;
  }

  /** Has the worker wait for work that is none of its own when it closes. */
  track(work: Promise<unknown>): void {
    this.#underWay.add(work);
    work.finally(() => this.#underWay.delete(work)).catch(() => undefined);
  }

  /** Resolves when nothing is under way. The ports' `stopping` must have been aborted before. */
  async close(): Promise<void> {
    clearTimeout(this.#timer);
    await this.#passing;
    if (this.#asked !== null) this.track(this.#giveBackAsked(this.#asked));
    await Promise.allSettled(this.#underWay);
  }

  /**
   * Does what can be done now. A submit outranks a poll, and the store sees to it that neither starves the other.
   * @returns how long to sleep, in ms
   * @throws {StoreUnavailableError}
   */
  async pass(): Promise<number> {
    const { store, limits, timing } = this.#ports;
    await Promise.all([limits.refresh(), timing.refresh()]);
    const outlook = await store.outlook(await this.#allKeyIds());
    timing.update(outlook, (keyId) => limits.callsPerMinute(keyId));
    limits.update(outlook);
    const sleeps = [
      await this.#doCommon(outlook),
      await this.#probe(outlook),
      await this.#submitQueued(outlook),
    ];
    for (const keyId of outlook.keys.keys()) sleeps.push(await this.#pollDue(keyId, outlook));
    return Math.max(0, Math.min(IDLE_MS, ...sleeps.filter((ms) => ms !== null)));
  }

  async #doCommon({ dueInMs }: Outlook): Promise<Sleep> {
    const limit = Math.min(this.#room('common'), CLAIMED_AT_ONCE);
    if (dueInMs !== 0 || limit <= 0) return dueInMs === 0 ? null : dueInMs;
    const leaseMs = this.#ports.settings.commonLeaseMs;
    const { claimed } = await this.#ports.store.claim({ keyId: null, limit, leaseMs });
    for (const stored of claimed) {
      const { step } = stored.avatar;
      const work = step === 'keep' ? keep : step === 'deliver' ? deliver : lapsed;
      this.#begin('common', stored.avatar, () => work(this.#ports, stored));
    }
    return claimed.length === limit ? 0 : null;
  }

  /**
   * Where Modellix failed again and again, one free read by one replica finds out whether it is back; where this process had
   * no way to it, one of its own.
   */
  async #probe({ queued, keys }: Outlook): Promise<Sleep> {
    const { store, limits, keyring, modellix, log } = this.#ports;
    const inMs = limits.nextProbeInMs();
    const key = keyring.keys().find(({ id }) => limits.isUsable(id)) ?? keyring.keys()[0];
    const wanted = queued > 0 || [...keys.values()].some(({ slots }) => slots > 0);
    if (inMs === null || key === undefined || !wanted) return null;
    const waitMs = inMs > 0 ? inMs : await store.takeCall(key.id, limits.callTerms(key.id));
    const probe = waitMs > 0 ? null : await limits.beginProbe();
    if (probe === null) return Math.max(waitMs, PAUSE_MS);
    this.#begin('poll', null, async () => {
      const outcome = await modellix.probe(key);
      log.info({ outcome }, 'Modellix was probed');
      await limits.endProbe(probe, outcome);
    });
    return null;
  }

  /** Submits from the queue what the keys have slots and calls for. */
  async #submitQueued({ queued }: Outlook): Promise<Sleep> {
    const { limits } = this.#ports;
    if (queued > 0) await limits.beginTry();
    const asked = this.#asked ?? this.#ask(queued);
    if (asked === null) {
      await limits.dropTry();
      return null;
    }
    const { begin, releases, at: askedAt } = asked;
    const wanted = releases.length;
    this.#asked = asked;
    const { begun, waitMs } = await this.#ports.store.begin(begin, wanted);
    this.#asked = null;
    this.#reserved -= wanted;
    for (const { submission: atHand, ...stored } of begun) {
      const release = releases.pop();
      // What came along is small.
      if (atHand !== null) release?.();
      void this.submit({ stored, askedAt, atHand }).finally(() => {
        release?.();
        this.wake();
      });
    }
    for (const release of releases) release();
    if (begun.length === 0) await limits.dropTry();
    return begun.length === wanted && queued > wanted ? 0 : limits.heed(waitMs);
  }

  #mayBegin(): Begin | null {
    const { limits, keyring, settings, stopping } = this.#ports;
    if (stopping.aborted || this.#room('submit') <= 0) return null;
    const keys = limits.submitTerms(keyring.keys().map(({ id }) => id));
    return keys.length === 0 ? null : { intent: randomUUID(), keys, leaseMs: settings.submitLeaseMs };
  }

  #ask(queued: number): Asked | null {
    const begin = queued > 0 ? this.#mayBegin() : null;
    if (begin === null) return null;
    const releases: (() => void)[] = [];
    const most = Math.min(queued, this.#room('submit'));
    for (let release = this.#memory(); release !== null; release = this.#memory()) {
      releases.push(release);
      if (releases.length >= most) break;
    }
    if (releases.length === 0) return null;
    this.#reserved += releases.length;
    return { begin, releases, at: performance.now() };
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

  /** A reply that was lost may have begun submits. Nothing was sent for them, and another process may. */
  async #giveBackAsked({ begin, releases }: Asked): Promise<void> {
    const ports = this.#ports;
    try {
      const { begun } = await ports.store.begin(begin, releases.length);
      await Promise.all(begun.map((each) => giveBack(ports, each.avatar, storeClock(each)(), each)));
    } catch (error) {
      ports.log.warn({ err: error }, 'what was begun could not be given back; it ends as unconfirmed');
    }
  }

  /** Polls the due tasks of one key, as far as its calls reach. What cannot be polled from here is left to others. */
  async #pollDue(keyId: string, { keys }: Outlook): Promise<Sleep> {
    const ports = this.#ports;
    const { store, limits, settings, keyring, watched } = ports;
    const { due = 0, dueInMs = null } = keys.get(keyId) ?? {};
    const limit = Math.min(due, this.#room('poll'));
    if (limit <= 0) return due === 0 ? dueInMs : null;
    const key = keyring.get(keyId);
    if (key === null) {
      const overdueMs = settings.taskTimeoutMs + UNHEARD_MS;
      const { claimed } = await store.claim({ keyId, limit, leaseMs: settings.stepLeaseMs, overdueMs });
      for (const stored of claimed) this.#begin('poll', stored.avatar, () => endUnheard(ports, stored));
      return null;
    }
    const calls = limits.pollTerms(keyId);
    if (calls === null) return null;
    const [submits] = limits.submitTerms([keyId]);
    const { claimed, waitMs } = await store.claim({
      keyId,
      limit,
      leaseMs: settings.stepLeaseMs,
      calls,
      slots: submits?.slots ?? 0,
      preferred: watched,
    });
    for (const stored of claimed) this.#begin('poll', stored.avatar, () => poll(ports, stored, key));
    return limits.heed(waitMs);
  }

  /** The keys of the pool, and those that were in it once and may have tasks. */
  async #allKeyIds(): Promise<readonly string[]> {
    const now = performance.now();
    const keys = this.#ports.keyring.keys();
    // A key that was taken out a moment ago has tasks that are polled without a gap.
    if (this.#keyIds === null || this.#keyIds.keys !== keys || now - this.#keyIds.at > KEY_IDS_MS) {
      this.#keyIds = { ids: await this.#ports.store.keyIds(), keys, at: now };
    }
    return [...new Set([...keys.map(({ id }) => id), ...this.#keyIds.ids])];
  }

  #room(kind: Kind): number {
    if (kind !== 'submit') return ROOM[kind] - this.#busy[kind];
    return Math.min(ROOM.submit, this.#ports.limits.mostSubmits) - this.#busy.submit - this.#reserved;
  }

  #begin(kind: Kind, avatar: Avatar | null, step: () => Promise<unknown>): void {
    void this.#run(kind, avatar, step).then(() => this.wake());
  }

  /** Where a step fails its lease lapses and the avatar is claimed again. */
  async #run<T>(kind: Kind, avatar: Avatar | null, step: () => Promise<T>): Promise<T | undefined> {
    this.#busy[kind] += 1;
    const work = step();
    this.track(work);
    try {
      return await work;
    } catch (error) {
      if (error instanceof StoreUnavailableError) this.#storeIs(false);
      else this.#ports.log.error({ err: error, avatarId: avatar?.id, step: avatar?.step }, 'a step failed');
      return undefined;
    } finally {
      this.#busy[kind] -= 1;
    }
  }

  #sleep(): void {
    clearTimeout(this.#timer);
    const wake = () => {
      this.#passing = this.#work();
    };
    this.#timer = setTimeout(wake, Math.max(0, this.#wakeAt - performance.now()));
  }

  async #work(): Promise<void> {
    this.#wakeAt = Number.POSITIVE_INFINITY;
    this.#passedAt = performance.now();
    let sleepMs = IDLE_MS;
    try {
      sleepMs = await this.pass();
      this.#storeIs(true);
    } catch (error) {
      if (!(error instanceof StoreUnavailableError))
        this.#ports.log.error({ err: error }, 'the worker could not look for work');
      this.#storeIs(false);
    }
    this.#passing = undefined;
    // It may have been woken meanwhile, for sooner or later than it found.
    const { stopping } = this.#ports;
    this.wake(sleepMs);
    if (!stopping.aborted) this.#sleep();
  }

  #storeIs(reachable: boolean): void {
    if (this.#storeAway === !reachable) return;
    this.#storeAway = !reachable;
    if (reachable) this.#ports.log.info({}, 'the store is reachable');
    else this.#ports.log.warn({}, 'the store is away; the worker waits for it');
  }
}
