import type { Avatar } from '../../domain/avatar.js';
import {
  afterFailure,
  afterSuccess,
  beginTry,
  CLOSED,
  CONNECTION,
  dropTry,
  isOpen,
  MODELLIX,
  tryInMs,
} from '../../domain/limits/breaker.js';
import {
  type BudgetState,
  callsPerMinuteOf,
  type KeyLimits,
  slotsOf,
  stateOf,
  waitMs,
} from '../../domain/limits/budget.js';
import { paceOf } from '../../domain/limits/call-rate.js';
import { retryAfterMs, startInMs } from '../../domain/limits/drain.js';
import {
  afterCall,
  type Call,
  holdsSubmits,
  type LimitsState,
  learnedOf,
  NOTHING_KNOWN,
  pollTerms,
  submitTerms,
} from '../../domain/limits/limits.js';
import { isHeld, type PathChange, pathChange, pathOf } from '../../domain/limits/submit-path.js';
import { mostSubmits, NEW_WINDOW, widened } from '../../domain/limits/submit-window.js';
import type { CallTerms, Outlook, Store, SubmitTerms } from '../../store/store.js';
import { CasDocument, jsonCodec } from './cas-document.js';
import { SharedDrain } from './drain.js';
import { SubmitTry } from './submit-try.js';

/** What changed by what a call came to. */
export interface LimitsChange {
  /** How long the key rests from now on, in ms; `null` where this call did not put it to rest. */
  readonly restMs: number | null;
  /** What this call was one failure too many for. */
  readonly opened: 'connection' | 'modellix' | 'submits' | null;
  readonly path: PathChange | null;
}

export interface KeyState extends BudgetState {
  readonly id: string;
  readonly callsPerMinute: number;
  readonly tasks: number;
}

/** Whom a probe is made for: this process, which had no connection, or all. */
export type Probe = 'own' | 'shared';

const NOTHING_CHANGED: LimitsChange = { restMs: null, opened: null, path: null };

/** By so much a pause may last longer than it has to. One that begins is heard of at once. */
const SAME_TERMS_MS = 10;

/** The calls and slots that the keys may use, shared by all replicas, and whether Modellix is to be called at all. */
export class Limits {
  readonly #shared: CasDocument<LimitsState>;
  readonly #drain: SharedDrain;
  readonly #ceiling: KeyLimits;
  readonly #random: () => number;
  readonly #forms: readonly string[];
  /** This process's way to Modellix. */
  #connection = CLOSED;
  #window = NEW_WINDOW;
  /** The one submit that may be tried while submits are held back. */
  readonly submitTry: SubmitTry;
  /** Slots of each key that were in use when somebody looked last. */
  #held: ReadonlyMap<string, number> = new Map();
  /** What {@link submitTerms} said last, and of what. */
  #submitTerms: {
    readonly keys: unknown;
    readonly value: LimitsState;
    readonly hasTry: boolean;
    readonly at: number;
    readonly terms: readonly SubmitTerms[];
  } | null = null;
  /** The task of each key whose poll was refused last, with none answered since. */
  readonly #refused = new Map<string, string>();

  /**
   * @param ceiling what each key may do at most; less is learned, more is not
   * @param submitPaths the forms of the path of a submit, in the order in which they are tried; one at least
   */
  constructor(store: Store, ceiling: KeyLimits, random: () => number, submitPaths: readonly string[]) {
    this.#shared = new CasDocument<LimitsState>(
      store,
      'limits-3',
      jsonCodec(() => NOTHING_KNOWN, isKnown),
    );
    this.submitTry = new SubmitTry(this.#shared, submitPaths);
    this.#drain = new SharedDrain(store);
    this.#ceiling = ceiling;
    this.#random = random;
    this.#forms = submitPaths;
  }

  /** Those of some keys that may be submitted with now. For a few ms it is the same list, where nothing was learned. */
  submitTerms(keys: readonly { readonly id: string }[]): readonly SubmitTerms[] {
    if (isOpen(this.#connection)) return [];
    const { value, now, asOf } = this.#shared;
    const last = this.#submitTerms;
    const isSame = last?.keys === keys && last.value === value && last.hasTry === this.submitTry.isOurs;
    if (isSame && Math.abs(now - last.at) < SAME_TERMS_MS) return last.terms;
    const ids = keys.map(({ id }) => id);
    const found = submitTerms(value, ids, now, this.#ceiling, this.#forms, this.submitTry.isOurs);
    const terms = found.map((each) => ({ ...each, calls: { asOf, ...each.calls } }));
    this.#submitTerms = { keys, value, hasTry: this.submitTry.isOurs, at: now, terms };
    return terms;
  }

  /** How fast a key may be polled with now; `null`: not at all. */
  pollTerms(keyId: string): CallTerms | null {
    if (isOpen(this.#connection)) return null;
    const { value, now, asOf } = this.#shared;
    const calls = pollTerms(value, keyId, now, this.#ceiling);
    return calls && { asOf, ...calls };
  }

  /** How long a key may not be polled with, as Modellix said, in ms; 0 where it said nothing. */
  pollWaitMs(keyId: string): number {
    const { value, now } = this.#shared;
    return waitMs(learnedOf(value, keyId), 'poll', now);
  }

  /** Notes how long the store says to wait. 0: what was learned is read anew before it is used again. */
  heed(sleepMs: number | null): number | null {
    if (sleepMs === 0) this.#shared.outdate();
    return sleepMs;
  }

  /** How fast a key may be called, whatever holds calls back. */
  callTerms(keyId: string): CallTerms {
    return paceOf(this.callsPerMinute(keyId));
  }

  /** When an avatar with so many ahead of it may be submitted, in ms; `null` where nothing is known. */
  startInMs(ahead: number): number | null {
    return startInMs(this.#drain.value, ahead, this.#shared.now);
  }

  /** When there may be room in a full queue, in ms. */
  roomInMs(): number {
    return retryAfterMs(this.#drain.value, this.#shared.now);
  }

  /**
   * Has every replica know what a call came to, where it came to something new.
   * @param avatarId what it was about
   */
  async report(call: Call, avatarId: string): Promise<LimitsChange> {
    const { call: kind, said, keyId } = call;
    const here = performance.now();
    const wasTry = kind === 'submit' && this.submitTry.end();
    if (said === 'unreachable') {
      const wasOpen = isOpen(this.#connection);
      this.#connection = afterFailure(this.#connection, CONNECTION, here, this.#random());
      if (wasTry) await this.#report(call);
      return { ...NOTHING_CHANGED, opened: wasOpen ? null : 'connection' };
    }
    this.#connection = afterSuccess(this.#connection);
    if (said === 'failed') return this.#report(call);
    if (said.kind === 'ok') {
      this.#window = widened(this.#window, here);
      const held = Math.max(said.held, this.#held.get(keyId) ?? 0);
      return this.#report({ ...call, said: { ...said, held } });
    }
    if (said.kind === 'polled') this.#refused.delete(keyId);
    if (said.kind === 'rejected' && kind === 'poll') {
      // It may be the task that may not be read, rather than the key that may not read.
      const other = this.#refused.get(keyId);
      this.#refused.set(keyId, avatarId);
      if (other === undefined || other === avatarId) return NOTHING_CHANGED;
    }
    return this.#report(call);
  }

  #report(call: Call): Promise<LimitsChange> {
    return this.#shared.change<LimitsChange>((state, { atMost: now }) => {
      const known = afterCall(state, call, now, this.#random(), this.#ceiling, this.#forms);
      const [before, after] = [learnedOf(state, call.keyId), learnedOf(known, call.keyId)];
      const opened = !isOpen(state.modellix) && isOpen(known.modellix) ? 'modellix' : null;
      return {
        value: known,
        result: {
          restMs: after.restUntil === before.restUntil ? null : after.restUntil - now,
          opened: !isOpen(state.submits) && isOpen(known.submits) ? 'submits' : opened,
          path: pathChange(state.paths, known.paths, this.#forms),
        },
      };
    });
  }

  /**
   * The one probe that may be made now, if it is this process's to make.
   */
  async beginProbe(): Promise<Probe | null> {
    if (isOpen(this.#connection)) {
      const trying = beginTry(this.#connection, CONNECTION, performance.now());
      this.#connection = trying ?? this.#connection;
      return trying && 'own';
    }
    return this.#shared.change<Probe | null>((state, { atLeast: now }) => {
      const modellix = beginTry(state.modellix, MODELLIX, now);
      return modellix === null
        ? { value: state, result: null }
        : { value: { ...state, modellix }, result: 'shared' };
    });
  }

  async endProbe(probe: Probe, came: 'ok' | 'failed' | 'unreachable'): Promise<void> {
    this.#connection =
      came === 'unreachable'
        ? afterFailure(this.#connection, CONNECTION, performance.now(), this.#random())
        : CLOSED;
    if (probe === 'own') return;
    await this.#shared.change((state, { atMost: now }) => {
      const { modellix } = state;
      const failed = () => afterFailure(modellix, MODELLIX, now, this.#random());
      const after = { ok: () => CLOSED, failed, unreachable: () => dropTry(modellix, now) }[came]();
      return { value: { ...state, modellix: after }, result: undefined };
    });
  }

  /** Resolves when what this process learned is told: terms from before would be outdated. */
  told(): Promise<unknown> {
    return this.#shared.changed();
  }

  /** Reads what other replicas learned, where that was long ago. @throws {StoreUnavailableError} */
  async refresh(): Promise<void> {
    await Promise.all([this.#shared.refresh(), this.#drain.share()]);
  }

  /** Notes how many slots of each key are in use. */
  update({ keys }: Outlook): void {
    this.#held = new Map([...keys].map(([keyId, { slots }]) => [keyId, slots]));
  }

  /** An avatar that waited in the queue was accepted by Modellix. */
  leftQueue({ createdAt }: Avatar): void {
    this.#drain.left(createdAt, this.#shared.now);
  }

  /** The store's clock, whatever this machine's says. @throws {StoreUnavailableError} */
  storeNow(): Promise<number> {
    return this.#shared.storeNow();
  }

  /** Milliseconds until a probe may be made; `null` while calls may be. */
  nextProbeInMs(): number | null {
    const { value, now } = this.#shared;
    return tryInMs(this.#connection, CONNECTION, performance.now()) ?? tryInMs(value.modellix, MODELLIX, now);
  }

  /** Submits that this process may have under way at the same time. */
  get mostSubmits(): number {
    const { value } = this.#shared;
    return mostSubmits(this.#window, value.submits, holdsSubmits(value, this.#forms), performance.now());
  }

  /** The path that submits go by, as far as is known; `isHeld`: Modellix has no route for any form of it. */
  get submitPath(): { readonly path: string; readonly isHeld: boolean } {
    const { paths } = this.#shared.value;
    return { path: pathOf(paths, this.#forms), isHeld: isHeld(paths, this.#forms) };
  }

  /** Unfinished tasks that a key may have, as far as is known. */
  slots(keyId: string): number {
    return slotsOf(learnedOf(this.#shared.value, keyId), this.#shared.now, this.#ceiling);
  }

  /** Calls a minute that a key may make, as far as is known. */
  callsPerMinute(keyId: string): number {
    return callsPerMinuteOf(learnedOf(this.#shared.value, keyId), this.#shared.now, this.#ceiling);
  }

  /** Whether a key is not at rest because of the account behind it. */
  isUsable(keyId: string): boolean {
    return this.keyState(keyId).state !== 'resting';
  }

  /** Whether calls are held back because Modellix fails, cannot be reached from here, or has no route for submits. */
  get isOpen(): boolean {
    const { value } = this.#shared;
    return [this.#connection, value.modellix].some(isOpen) || holdsSubmits(value, this.#forms);
  }

  keyState(id: string): KeyState {
    const { value, now } = this.#shared;
    const state = stateOf(learnedOf(value, id), now);
    return { id, ...state, callsPerMinute: this.callsPerMinute(id), tasks: this.slots(id) };
  }
}

/** Gateways write it, and nobody else: what is looked for is a form of another release. */
function isKnown(value: unknown): value is LimitsState {
  return ['modellix', 'submits', 'paths', 'keys'].every(
    (part) => typeof value === 'object' && value !== null && part in value,
  );
}
