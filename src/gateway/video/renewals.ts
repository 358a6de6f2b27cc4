import type { Video } from '../../domain/avatar.js';

/** What Modellix says of a finished task's video now; `later`: it could not be asked. */
export type Renewal =
  | { readonly kind: 'fresh'; readonly video: Video }
  | { readonly kind: 'gone' }
  | { readonly kind: 'later'; readonly waitMs: number };

/** For how long the next query would say the same as the last one. */
const KNOWN_MS = { fresh: 60_000, gone: 600_000 } as const;
/** Avatars that are remembered. */
const MOST_KNOWN = 10_000;

interface Known {
  readonly renewal: Exclude<Renewal, { kind: 'later' }>;
  /** `performance.now()`. */
  readonly until: number;
}

/**
 * What was learned of videos whose URLs had expired, so that however many callers want one, Modellix is asked once, and
 * not again and again for what is gone. It is this process's own, and forgotten with it.
 */
export class Renewals {
  readonly #known = new Map<string, Known>();
  readonly #underWay = new Map<string, Promise<Renewal>>();

  /** What a query said a moment ago. */
  known(id: string): Known['renewal'] | null {
    const known = this.#known.get(id);
    return known === undefined || known.until <= performance.now() ? null : known.renewal;
  }

  /** What a query says: the one that is under way, else one that is made now. */
  async ask(id: string, query: () => Promise<Renewal>): Promise<Renewal> {
    const underWay = this.#underWay.get(id);
    if (underWay !== undefined) return underWay;
    const asked = query().then((renewal) => {
      if (renewal.kind !== 'later') this.#learn(id, renewal);
      return renewal;
    });
    this.#underWay.set(id, asked);
    return asked.finally(() => this.#underWay.delete(id));
  }

  /** The fresh URL has expired as well. */
  markGone(id: string): void {
    this.#learn(id, { kind: 'gone' });
  }

  #learn(id: string, renewal: Known['renewal']): void {
    this.#known.delete(id); // The order is that of learning.
    this.#known.set(id, { renewal, until: performance.now() + KNOWN_MS[renewal.kind] });
    const [oldest] = this.#known.keys();
    if (this.#known.size > MOST_KNOWN && oldest !== undefined) this.#known.delete(oldest);
  }
}
