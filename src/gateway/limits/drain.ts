import { admitted, type Drain, newDrain } from '../../domain/limits/drain.js';
import type { Store } from '../../store/store.js';
import { CasDocument, jsonCodec } from './cas-document.js';

/** How often what was seen here is shared. */
const SHARE_MS = 5_000;
/** More submits in between tell nothing more. */
const MOST_UNSHARED = 64;

/** How fast the queue drains, over all replicas: each adds the submits it saw, now and then, and not with each of them. */
export class SharedDrain {
  readonly #shared: CasDocument<Drain>;
  #unshared: { readonly queuedSince: number; readonly at: number }[] = [];
  #sharedAt = Number.NEGATIVE_INFINITY;

  constructor(store: Store) {
    this.#shared = new CasDocument<Drain>(store, 'drain-1', jsonCodec(newDrain, isDrain));
  }

  /** As far as is known here. */
  get value(): Drain {
    return withAll(this.#shared.value, this.#unshared);
  }

  /** An avatar left the queue for Modellix. Both on the store's clock. */
  left(queuedSince: number, at: number): void {
    this.#unshared = [...this.#unshared, { queuedSince, at }].slice(-MOST_UNSHARED);
  }

  /** Shares what is new, and hears of what others saw, where that was long ago. @throws {StoreUnavailableError} */
  async share(): Promise<void> {
    if (performance.now() - this.#sharedAt < SHARE_MS) return;
    this.#sharedAt = performance.now();
    const added = this.#unshared;
    await this.#shared.change((drain) => ({ value: withAll(drain, added), result: undefined }));
    this.#unshared = this.#unshared.filter((each) => !added.includes(each));
  }
}

function withAll(
  drain: Drain,
  left: readonly { readonly queuedSince: number; readonly at: number }[],
): Drain {
  return left.reduce((after, { queuedSince, at }) => admitted(after, queuedSince, at), drain);
}

function isDrain(value: unknown): value is Drain {
  return typeof value === 'object' && value !== null && 'lastAt' in value && 'gapMs' in value;
}
