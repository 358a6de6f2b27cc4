import { EventEmitter } from 'node:events';
import type { Store } from '../store/store.js';

/** Who waits for a change of an avatar, whichever replica brings it about. A word may be lost: wait with an end. */
export class Changes {
  readonly #emitter = new EventEmitter();
  readonly #end: () => void;

  /** @param wake called for each change */
  constructor(store: Store, wake: () => void) {
    this.#emitter.setMaxListeners(0);
    this.#end = store.onChange((id) => {
      this.#emitter.emit(id);
      wake();
    });
  }

  /** Resolves at the next change of an avatar, or after `withinMs`; says which. */
  next(id: string, withinMs: number): Promise<boolean> {
    return new Promise((resolve) => {
      const changed = () => {
        clearTimeout(timer);
        resolve(true);
      };
      const timer = setTimeout(() => {
        this.#emitter.off(id, changed);
        resolve(false);
      }, withinMs);
      this.#emitter.once(id, changed);
    });
  }

  close(): void {
    this.#end();
  }
}
