import {
  afterCall,
  afterProbe,
  type Breaker,
  beginProbe,
  type CallResult,
  closedBreaker,
  mayCall,
  nextProbeInMs,
} from '../../domain/breaker.js';
import {
  afterReply,
  type BudgetState,
  type CallKind,
  giveBack,
  holdsLooks,
  type KeyBudget,
  type KeyLimits,
  newBudget,
  raised,
  readyAt,
  type RateHeaders,
  type Rivals,
  type Signal,
  stateOf,
  take,
} from '../../domain/budget.js';
import { admitted, type Drain, newDrain, retryAfterMs, startInMs } from '../../domain/drain.js';
import { paceOf } from '../../domain/call-rate.js';
import type { CallTerms, Store, SubmitTerms } from '../../store/store.js';
import { jsonCodec, Shared } from './cas-document.js';

/** What all replicas know of the upstream's limits. */
interface State {
  readonly breaker: Breaker;
  readonly keys: Readonly<Record<string, KeyBudget>>;
  readonly drain: Drain;
}

/** What a call came to, as far as the limits are concerned: what Modellix said, or that it did not. */
export type CallSignal = Signal | Exclude<CallResult, 'ok'>;

export interface Taken {
  readonly taken: number;
  /** Until the next call may be made, in ms. */
  readonly waitMs: number;
  /** No call is to be had because of a fault, rather than because others were made. */
  readonly blocked: boolean;
}

/** What changed for all replicas by what a call came to. */
export interface Noted {
  /** How long the key rests from now on, in ms; `null` where this call did not put it to rest. */
  readonly restMs: number | null;
  /** This call was one failure too many. */
  readonly opened: boolean;
}

export interface KeyState extends BudgetState {
  readonly id: string;
  readonly callsPerMinute: number;
  readonly tasks: number;
}

/** A replica that took a probe and died gives it up after this. */
const PROBE_LEASE_MS = 20_000;

/** The calls and slots that the keys may use, shared by all replicas, and the breaker before all of them. */
export class Limits {
  readonly #shared: Shared<State>;
  readonly #ceiling: KeyLimits;
  readonly #random: () => number;

  /** @param ceiling what each key may do at most; less is learned, more is not */
  constructor(store: Store, ceiling: KeyLimits, random: () => number) {
    const fresh = (): State => ({ breaker: closedBreaker(), keys: {}, drain: newDrain() });
    this.#shared = new Shared<State>(store, 'limits-1', jsonCodec(fresh, isState));
    this.#ceiling = ceiling;
    this.#random = random;
  }

  /** Takes up to `wanted` calls with a key, to be made at once. @throws {StoreUnavailableError} when none is to be made */
  take(keyId: string, kind: CallKind, wanted: number, rivals: Rivals): Promise<Taken> {
    return this.#shared.change<Taken>((state, { atLeast: now }) => {
      const probeInMs = nextProbeInMs(state.breaker, now);
      if (!mayCall(state.breaker)) {
        return { value: state, result: { taken: 0, waitMs: probeInMs ?? 0, blocked: true } };
      }
      const { budget, taken, waitMs } = take(
        this.#budget(state, keyId),
        kind,
        wanted,
        now,
        this.#ceiling,
        rivals,
      );
      const blocked = taken === 0 && holdsLooks(budget, now);
      const value = taken === 0 ? state : withKey(state, keyId, budget);
      return { value, result: { taken, waitMs, blocked } };
    });
  }

  /** Puts back calls that were taken and not made. */
  async giveBack(keyId: string, calls: number): Promise<void> {
    if (calls <= 0) return;
    await this.#shared.change((state) => ({
      value: withKey(state, keyId, giveBack(this.#budget(state, keyId), calls)),
      result: undefined,
    }));
  }

  /**
   * Has every replica know what a call came to.
   * @param queuedSince since when the avatar waited that it took out of the queue; `null` where it took none
   */
  report(
    keyId: string,
    signal: CallSignal,
    headers: RateHeaders,
    queuedSince: number | null,
  ): Promise<Noted> {
    return this.#shared.change<Noted>((state, { atMost: now }) => {
      const silent = typeof signal === 'string';
      const breaker = afterCall(state.breaker, silent ? signal : 'ok', now, this.#random());
      const before = this.#budget(state, keyId);
      const after = silent ? before : afterReply(before, signal, headers, now, this.#ceiling);
      const drain = queuedSince === null ? state.drain : admitted(state.drain, queuedSince, now);
      const same = breaker === state.breaker && after === before && drain === state.drain;
      const value = same ? state : { ...withKey(state, keyId, after), breaker, drain };
      const restMs = after.restUntil === before.restUntil ? null : after.restUntil - now;
      return { value, result: { restMs, opened: mayCall(state.breaker) && !mayCall(breaker) } };
    });
  }

  /** The one probe that may be made now, if this call got it. */
  beginProbe(): Promise<boolean> {
    return this.#shared.change((state, { atLeast: now }) => {
      const breaker = beginProbe(state.breaker, now, PROBE_LEASE_MS);
      return breaker === null
        ? { value: state, result: false }
        : { value: { ...state, breaker }, result: true };
    });
  }

  endProbe(ok: boolean): Promise<void> {
    return this.#shared.change((state, { atMost: now }) => ({
      value: { ...state, breaker: afterProbe(state.breaker, ok, now, this.#random()) },
      result: undefined,
    }));
  }

  /** Reads what other replicas learned, where that was long ago. @throws {StoreUnavailableError} */
  async refresh(): Promise<void> {
    await this.#shared.refresh();
  }

  /** The store's clock, whatever this machine's says. @throws {StoreUnavailableError} */
  storeNow(): Promise<number> {
    return this.#shared.storeNow();
  }

  /** Milliseconds until a probe may be made; `null` while calls may be. */
  nextProbeInMs(): number | null {
    return nextProbeInMs(this.#shared.value.breaker, this.#shared.now);
  }

  /** Those of some keys that may be submitted with now. */
  submitTerms(keyIds: readonly string[]): SubmitTerms[] {
    const { breaker } = this.#shared.value;
    if (!mayCall(breaker)) return [];
    const now = this.#shared.now;
    return keyIds.flatMap((keyId) => {
      const budget = this.#budget(this.#shared.value, keyId);
      if (readyAt(budget, 'submit', now) > now) return [];
      const { tasks: slots, callsPerMinute } = raised(budget, now, this.#ceiling);
      return [{ keyId, slots, calls: paceOf(callsPerMinute) }];
    });
  }

  /** How fast a key may be polled with now; `null`: not at all. */
  pollTerms(keyId: string): CallTerms | null {
    const now = this.#shared.now;
    const budget = this.#budget(this.#shared.value, keyId);
    if (!mayCall(this.#shared.value.breaker) || readyAt(budget, 'poll', now) > now) return null;
    return paceOf(raised(budget, now, this.#ceiling).callsPerMinute);
  }

  /** Unfinished tasks that a key may have, as far as is known. */
  slots(keyId: string): number {
    return this.#budget(this.#shared.value, keyId).tasks;
  }

  /** Calls a minute that a key may make, as far as is known. */
  callsPerMinute(keyId: string): number {
    return this.#budget(this.#shared.value, keyId).callsPerMinute;
  }

  /** Whether a key is not at rest because of the account behind it. */
  isUsable(keyId: string): boolean {
    return stateOf(this.#budget(this.#shared.value, keyId), this.#shared.now).state !== 'resting';
  }

  /** Whether calls are held back because Modellix fails. */
  get isOpen(): boolean {
    return !mayCall(this.#shared.value.breaker);
  }

  keyState(id: string): KeyState {
    const budget = this.#budget(this.#shared.value, id);
    const { callsPerMinute, tasks } = budget;
    return { id, ...stateOf(budget, this.#shared.now), callsPerMinute, tasks };
  }

  /** When an avatar with so many ahead of it may be submitted, in ms; `null` where nothing is known. */
  startInMs(ahead: number): number | null {
    return startInMs(this.#shared.value.drain, ahead, this.#shared.now);
  }

  /** When there may be room in a full queue, in ms. */
  roomInMs(): number {
    return retryAfterMs(this.#shared.value.drain, this.#shared.now);
  }

  #budget({ keys }: State, keyId: string): KeyBudget {
    return keys[keyId] ?? newBudget(this.#ceiling);
  }
}

function withKey(state: State, keyId: string, budget: KeyBudget): State {
  return { ...state, keys: { ...state.keys, [keyId]: budget } };
}

/** Gateways write it, and nobody else: what is looked for is a form of another release. */
function isState(value: unknown): value is State {
  return (
    typeof value === 'object' && value !== null && 'breaker' in value && 'keys' in value && 'drain' in value
  );
}
