import { ApiKey } from './api-key.js';

/** The pool of keys. */
export interface Keyring {
  /** The keys to submit with. */
  keys(): readonly ApiKey[];
  /** The key with an id, also one that was taken out of the pool since the start: its tasks are still its to read. */
  get(id: string): ApiKey | null;
  /** Calls back when the pool has changed. */
  onChange(listener: () => void): void;
  close(): void;
}

/** A pool that can be given other keys. */
export class KeyPool implements Keyring {
  readonly #ever = new Map<string, ApiKey>();
  readonly #listeners: (() => void)[] = [];
  #keys: readonly ApiKey[] = [];

  /** @throws {TypeError} for a key that could never be sent */
  constructor(secrets: readonly string[]) {
    this.replace(secrets);
  }

  keys(): readonly ApiKey[] {
    return this.#keys;
  }

  get(id: string): ApiKey | null {
    return this.#ever.get(id) ?? null;
  }

  onChange(listener: () => void): void {
    this.#listeners.push(listener);
  }

  /** Puts other keys in place of those in the pool; one that is given twice counts once. Says whether anything changed. */
  replace(secrets: readonly string[]): boolean {
    const next = new Map(secrets.map((secret) => new ApiKey(secret)).map((key) => [key.id, key]));
    const same = next.size === this.#keys.length && this.#keys.every(({ id }) => next.has(id));
    if (same) return false;
    for (const [id, key] of next) if (!this.#ever.has(id)) this.#ever.set(id, key);
    this.#keys = [...next.values()];
    for (const listener of this.#listeners) listener();
    return true;
  }

  close(): void {
    this.#listeners.length = 0;
  }
}
