import type { Settings } from './settings.js';
import { Refusal } from './wire.js';

/** Who a call comes from. */
export interface Account {
  readonly key: string;
  readonly team: string;
}

interface Window {
  endsAt: number;
  used: number;
}

const OVERALL = Symbol('overall');

/** The key of an `Authorization: Bearer` header, or `null`. */
export function bearerOf(authorization: string | undefined): string | null {
  return /^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1] ?? null;
}

/** Keys, balances and the rate limit. Time and chance come from outside. */
export class Accounts {
  readonly #settings: () => Settings;
  readonly #now: () => number;
  readonly #random: () => number;
  readonly #windows = new Map<string | typeof OVERALL, Window>();

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
    const { callsPerMinute, callsPerMinuteOverall } = this.#settings();
    const own = this.#window(key);
    const all = this.#window(OVERALL);
    const limitOverall = callsPerMinuteOverall || callsPerMinute * 10;
    if (own.used >= callsPerMinute) {
      throw this.#limited(`${callsPerMinute} requests a minute`, this.#headers(callsPerMinute, own));
    }
    if (all.used >= limitOverall) {
      throw this.#limited(`${limitOverall} requests a minute over all`, this.#headers(callsPerMinute, all));
    }
    own.used += 1;
    all.used += 1;
    return this.#headers(callsPerMinute, own);
  }

  /** A 429 for a team whose tasks are all still running. */
  concurrencyExceeded(): Refusal {
    const { concurrency } = this.#settings();
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

  /** Forgets what was counted. */
  clear(): void {
    this.#windows.clear();
  }

  #window(name: string | typeof OVERALL): Window {
    const now = this.#now();
    const current = this.#windows.get(name);
    if (current !== undefined && now < current.endsAt) return current;
    const fresh = { endsAt: now + this.#settings().windowMs, used: 0 };
    this.#windows.set(name, fresh);
    return fresh;
  }

  #headers(limit: number, window: Window): Record<string, string> {
    return {
      'x-ratelimit-limit': String(limit),
      'x-ratelimit-remaining': String(Math.max(0, limit - window.used)),
      'x-ratelimit-reset': String(Math.ceil(window.endsAt / 1000)),
    };
  }

  #limited(limit: string, headers: Record<string, string>): Refusal {
    const told = this.#random() < this.#settings().retryAfterShare;
    const seconds = Math.max(1, Number(headers['x-ratelimit-reset']) - Math.floor(this.#now() / 1000));
    const retry = told ? { 'retry-after': String(seconds) } : {};
    return new Refusal(429, `Rate limit exceeded: ${limit}`, { ...headers, ...retry });
  }
}
