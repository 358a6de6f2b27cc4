import type { Caller } from '../../domain/caller.js';
import { UNITS_A_DOLLAR } from '../../domain/spend.js';
import { ProblemError } from '../../problems.js';
import type { Ports } from '../ports.js';
import { usage } from './usage.js';

/** Modellix is asked once in so long, whatever it answers: asking is one of the calls that all callers share. */
const KNOWN_MS = 60_000;

/** What may still be spent, in US dollars. */
export class Balance {
  readonly #ports: Ports;
  #account: Promise<number | null> | null = null;
  /** `performance.now()`. */
  #askedAt = 0;

  constructor(ports: Ports) {
    this.#ports = ports;
  }

  /**
   * What is left of the tighter of a caller's caps; of the account at Modellix where it has none.
   * @throws {ProblemError} `not-ready` where Modellix does not say; {StoreUnavailableError}
   */
  async of({ name, caps }: Caller): Promise<number> {
    if (caps.day === null && caps.month === null) {
      const balance = await this.#ofAccount();
      if (balance !== null) return balance;
      throw new ProblemError('not-ready', 'Modellix does not say its balance right now.');
    }
    const { caps: uses } = await usage(this.#ports, name, { from: null, to: null });
    const left = [uses.day, uses.month].flatMap((use) => (use === null ? [] : [use.cap - use.used]));
    return Math.max(0, Math.min(...left)) / UNITS_A_DOLLAR;
  }

  #ofAccount(): Promise<number | null> {
    const now = performance.now();
    if (this.#account === null || now - this.#askedAt >= KNOWN_MS) {
      this.#askedAt = now;
      this.#account = this.#ask();
      this.#account.catch(() => {
        this.#account = null; // The store could not say whether there is a call.
      });
    }
    return this.#account;
  }

  async #ask(): Promise<number | null> {
    const { keyring, limits, modellix, store } = this.#ports;
    const [key] = keyring.keys();
    const calls = key === undefined ? null : limits.pollTerms(key.id);
    if (key === undefined || calls === null) return null;
    return (await store.takeCall(key.id, calls)) > 0 ? null : modellix.balance(key);
  }
}
