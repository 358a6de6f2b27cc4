import type { Settings } from './settings.js';
import { SlidingWindow } from './window.js';
import { Refusal } from './wire.js';

/** Who a call comes from. */
export interface Account {
  readonly key: string;
  readonly team: string;
}

/** How often the limits were exceeded. */
export interface Excess {
  /** Calls that were refused because of their rate, and submits because of unfinished tasks. */
  readonly calls: number;
  readonly tasks: number;
  /** The most calls that each key made in any window, those that were refused included. */
  readonly callsPerKey: Readonly<Record<string, number>>;
}

/** What a key made of its calls: those that were let in count against its limit. */
interface KeyCalls {
  readonly made: SlidingWindow;
  readonly allowed: SlidingWindow;
}

/** The key of an `Authorization: Bearer` header, or `null`. */
export function bearerOf(authorization: string | undefined): string | null {
  return /^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1] ?? null;
}

/** Keys, balances and the rate limit. Time and chance come from outside. */
export class Accounts {
  readonly #settings: () => Settings;
  readonly #now: () => number;
  readonly #random: () => number;
  #calls = new Map<string, KeyCalls>();
  #overall = new SlidingWindow();
  #refusedCalls = 0;
  #refusedTasks = 0;

  constructor(settings: () => Settings, now: () => number, random: () => number) {
    this.#settings = settings;
    this.#now = now;
    this.#random = random;
  }

  /** The account a key belongs to; throws a 401. */
  authenticate(authorization: string | undefined): Account {
    if (authorization === undefined) throw new Refusal(401, 'Authentication failed: API key is missing');
    const key = bearerOf(authorization);
    if (key === null) throw new Refusal(401, 'Authentication failed: expected "Bearer <API key>"');
    const known = Object.hasOwn(this.#settings().keys, key) ? this.#settings().keys[key] : undefined;
    if (!known?.valid) throw new Refusal(401, 'Authentication failed: API key is invalid or expired');
    return { key, team: known.team };
  }

  /** Whether a key would be let in. */
  isValid(key: string | null): boolean {
    const { keys } = this.#settings();
    return key !== null && Object.hasOwn(keys, key) && keys[key]?.valid === true;
  }

  /** Counts a call; throws a 429. Returns the rate limit headers its answer carries. */
  count(key: string): Record<string, string> {
    const { callsPerMinute, callsPerMinuteOverall, windowMs } = this.#settings();
    const now = this.#now();
    const { made, allowed } = this.#callsOf(key);
    const limitOverall = callsPerMinuteOverall || callsPerMinute * 10;
    made.add(now, windowMs);
    if (allowed.count(now, windowMs) >= callsPerMinute) {
      throw this.#limited(`${callsPerMinute} requests a minute`, this.#headers(callsPerMinute, allowed));
    }
    if (this.#overall.count(now, windowMs) >= limitOverall) {
      const headers = this.#headers(callsPerMinute, this.#overall);
      throw this.#limited(`${limitOverall} requests a minute over all`, headers);
    }
    allowed.add(now, windowMs);
    this.#overall.add(now, windowMs);
    return this.#headers(callsPerMinute, allowed);
  }

  /** A 429 for a team whose tasks are all still running. */
  concurrencyExceeded(): Refusal {
    const { concurrency } = this.#settings();
    this.#refusedTasks += 1;
    return new Refusal(429, `Concurrent limit exceeded: ${concurrency} tasks are unfinished`);
  }

  /** USD left of a team's balance. */
  balance(team: string): number {
    return this.#settings().teams[team]?.balance ?? 0;
  }

  /** Takes the price of a task; throws a 402 when nothing is left. */
  charge(team: string, amount: number): void {
    const held = this.#settings().teams[team];
    if (held === undefined || held.balance <= 0) {
      throw new Refusal(402, 'Insufficient balance: the account balance is used up');
    }
    held.balance = Number((held.balance - amount).toFixed(6));
  }

  excess(): Excess {
    const peaks = [...this.#calls].map(([key, { made }]) => [key, made.peak] as const);
    return { calls: this.#refusedCalls, tasks: this.#refusedTasks, callsPerKey: Object.fromEntries(peaks) };
  }

  /** Forgets what was counted. */
  clear(): void {
    this.#calls = new Map();
    this.#overall = new SlidingWindow();
    this.#refusedCalls = 0;
    this.#refusedTasks = 0;
  }

  #callsOf(key: string): KeyCalls {
    const known = this.#calls.get(key);
    if (known !== undefined) return known;
    const fresh = { made: new SlidingWindow(), allowed: new SlidingWindow() };
    this.#calls.set(key, fresh);
    return fresh;
  }

  #headers(limit: number, window: SlidingWindow): Record<string, string> {
    const now = this.#now();
    const { windowMs } = this.#settings();
    return {
      'x-ratelimit-limit': String(limit),
      'x-ratelimit-remaining': String(Math.max(0, limit - window.count(now, windowMs))),
      'x-ratelimit-reset': String(Math.ceil(window.roomAt(now, windowMs) / 1000)),
    };
  }

  #limited(limit: string, headers: Record<string, string>): Refusal {
    this.#refusedCalls += 1;
    const told = this.#random() < this.#settings().retryAfterShare;
    const seconds = Math.max(1, Number(headers['x-ratelimit-reset']) - Math.floor(this.#now() / 1000));
    const retry = told ? { 'retry-after': String(seconds) } : {};
    return new Refusal(429, `Rate limit exceeded: ${limit}`, { ...headers, ...retry });
  }
}
