import type { Avatar } from '../domain/avatar.js';
import type { ApiKey } from '../modellix/api-key.js';
import { type Outlook, StoreUnavailableError } from '../store/store.js';
import { Submits } from './begin.js';
import { deliver } from './callbacks/deliver.js';
import { lapsed } from './outcome.js';
import { endUnheard, poll, UNHEARD_MS } from './poll.js';
import type { Ports } from './ports.js';
import { replayAnswers, type Settled } from './settle.js';
import { type BegunHere, submit } from './submit.js';
import { keep } from './video/keep.js';

/**
 * Steps at work at the same time in one process, beside submits: polls, and what needs no call to Modellix. The latter are more
 * than `origin-gate.ts` lets be under way, to receivers and to video hosts together, so that there is always room for what takes no time.
 */
const MOST = { poll: 128, common: 256 } as const;
/** Of what needs no call, so many are claimed in one go. */
const CLAIMED_AT_ONCE = 64;
/** The longest sleep: what other replicas queue or leave undone is found then, and limits may have been raised. */
const IDLE_MS = 1_000;
/** Between the beginnings of two passes: what makes work comes in bursts. */
const PAUSE_MS = 20;
/** How often the store is asked for keys that are no longer in the pool and have tasks. */
const KEY_IDS_MS = 60_000;

/** How long until there is something to do for a part of a pass; `null`: nothing is in sight. */
type Sleep = number | null;

/**
 * Does what is due: what needs no call, submits from the queue, polls. One loop; never two passes at once. It runs when there
 * may be work: something was queued, a step ended, something is due. What is under way when it closes is finished,
 * and nothing new is claimed.
 */
export class Worker {
  readonly #ports: Ports;
  readonly #underWay = new Set<Promise<unknown>>();
  readonly #busy = { poll: 0, common: 0 };
  readonly #submits: Submits;
  #keyIds: { readonly ids: readonly string[]; readonly keys: readonly ApiKey[]; readonly at: number } | null =
    null;
  #timer: NodeJS.Timeout | undefined;
  #passing: Promise<void> | undefined;
  #wakeAt = Number.POSITIVE_INFINITY;
  #passedAt = Number.NEGATIVE_INFINITY;
  #storeAway = false;

  constructor(ports: Ports) {
    this.#ports = ports;
    this.#submits = new Submits(ports);
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

  /** @see Submits.asking */
  asking: Submits['asking'] = (ask) => this.#submits.asking(ask);

  /** Submits what was begun. Resolves with the avatar as it is then; `null` where that is not known. */
  async submit(begun: BegunHere): Promise<Settled | null> {
    this.#submits.underWay += 1;
    const settled = await this.#run(begun.stored.avatar, () => submit(this.#ports, begun));
    this.#submits.underWay -= 1;
    // An accepted one keeps its slot, so there is nothing to do but to poll it in time, unless it made room for others.
    this.wake(settled?.avatar.status === 'pending' && this.#submits.room > 2 ? settled.dueInMs : 0);
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
    this.track(this.#submits.giveBackLost());
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
      await this.#submits.fromQueue(outlook.queued, (begun, done) => {
        void this.submit(begun).finally(() => {
          done();
          this.wake();
        });
      }),
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
    const [submits] = limits.submitTerms([key]);
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

  #room(kind: keyof typeof MOST): number {
    return MOST[kind] - this.#busy[kind];
  }

  #begin(kind: keyof typeof MOST, avatar: Avatar | null, step: () => Promise<unknown>): void {
    this.#busy[kind] += 1;
    void this.#run(avatar, step).then(() => {
      this.#busy[kind] -= 1;
      this.wake();
    });
  }

  /** Where a step fails its lease lapses and the avatar is claimed again. */
  async #run<T>(avatar: Avatar | null, step: () => Promise<T>): Promise<T | undefined> {
    const work = step();
    this.track(work);
    try {
      return await work;
    } catch (error) {
      if (error instanceof StoreUnavailableError) this.#storeIs(false);
      else this.#ports.log.error({ err: error, avatarId: avatar?.id, step: avatar?.step }, 'a step failed');
      return undefined;
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
