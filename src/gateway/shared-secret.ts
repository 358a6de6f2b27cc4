import { randomBytes } from 'node:crypto';
import type { Store } from '../store/store.js';
import { CasDocument, jsonCodec } from './limits/cas-document.js';

/** After so long the store is asked anew, and nobody waits for it: one that came back empty has another secret, or none. */
const FRESH_MS = 60_000;

/** A secret that is made at random and lies in the store, so that every replica knows it. */
export class SharedSecret {
  readonly #document: CasDocument<string | null>;
  #known: { readonly secret: string; readonly at: number } | null = null;
  #asking: Promise<string> | null = null;

  /** @param name of the document that holds it */
  constructor(store: Store, name: string) {
    this.#document = new CasDocument<string | null>(
      store,
      name,
      jsonCodec(() => null, isSecret),
    );
  }

  /** Whoever needs it first makes it. Once it is known it costs no call to the store. @throws {StoreUnavailableError} */
  async value(): Promise<string> {
    if (this.#known === null) return this.#ask();
    if (performance.now() - this.#known.at > FRESH_MS) this.#ask().catch(() => undefined);
    return this.#known.secret;
  }

  /** The store's clock. Call {@link value} first. */
  get now(): number {
    return this.#document.now;
  }

  #ask(): Promise<string> {
    this.#asking ??= this.#document
      .change((known) => {
        const secret = known ?? randomBytes(32).toString('base64url');
        return { value: secret, result: secret };
      })
      .then((secret) => {
        this.#known = { secret, at: performance.now() };
        return secret;
      })
      .finally(() => {
        this.#asking = null;
      });
    return this.#asking;
  }
}

function isSecret(value: unknown): value is string {
  return typeof value === 'string' && /^[\w-]{43}$/.test(value);
}
