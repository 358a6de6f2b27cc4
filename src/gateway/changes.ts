import { EventEmitter } from 'node:events';
import type { Store } from '../store/store.js';

/** Who waits for a change of an avatar, whichever replica brings it about. A word may be lost: wait with an end. */
export class Changes {
  readonly #emitter = new EventEmitter();
  readonly #end: () => void;

  /** @param wake called for each change */
  constructor(store: Store, wake: () => void) {
    this.#emitter.setMaxListeners(0);
    this.#end = store.onChange((change) => {
      for (const id of change === null ? this.#emitter.eventNames() : [change.id]) this.#emitter.emit(id);
      wake();
    });
  }

  /** Asks now, and after each change of an avatar, whether it is as it was waited for; at most for `withinMs`. */
  async until(id: string, withinMs: number, isDone: () => Promise<boolean>): Promise<void> {
    let changed = false;
    let over = false;
    let wake = (): void => undefined;
    const change = () => {
      changed = true;
      wake();
    };
    const timer = setTimeout(() => {
      over = true;
      wake();
    }, withinMs);
    this.#emitter.on(id, change);
    try {
      while (!(await isDone()) && !over) {
        if (!changed) await new Promise<void>((resolve) => (wake = resolve));
        changed = false;
      }
    } finally {
      clearTimeout(timer);
      this.#emitter.off(id, change);
    }
  }

  close(): void {
    this.#end();
  }
}
