/** Where the lines of the log go: a stream of the process. Nobody waits until they are read, and nothing ends when nobody reads. */

import type { Writable } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';

/** Lines that wait for whoever reads them, in bytes; more are dropped. */
const MAX_UNREAD_BYTES = 16 * 1024 * 1024;
/** Lines are written together: this much, or what there is after so long. */
const BATCH_BYTES = 4096;
const BATCH_MS = 100;

/** Node sets pipes and sockets to not block, but makes terminals block, which Ctrl-S holds. */
interface Terminal {
  readonly _handle?: { setBlocking?(blocks: boolean): void };
}

/** Of the process's own streams, which go on after an error: a disk that was full has room again. */
export class LogOutput {
  readonly #stream: Writable;
  #batch = '';
  #timer: NodeJS.Timeout | undefined;

  /** @param stream its errors have to be listened for */
  constructor(stream: Writable & { readonly isTTY?: boolean }) {
    this.#stream = stream;
    if (stream.isTTY) (stream as Terminal)._handle?.setBlocking?.(false);
  }

  write(line: string): void {
    if (this.#stream.writableLength > MAX_UNREAD_BYTES) return;
    this.#batch += line;
    if (this.#batch.length >= BATCH_BYTES) this.flush();
    else this.#timer ??= setTimeout(() => this.flush(), BATCH_MS).unref();
  }

  /** Hands on what there is; of that, a pipe takes at once what it has room for. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#batch === '') return;
    this.#stream.write(this.#batch);
    this.#batch = '';
  }

  /** Resolves when all is read or cannot be, and at the latest after so many milliseconds. */
  async settled(withinMs: number): Promise<void> {
    this.flush();
    const taken = new Promise<void>((resolve) => this.#stream.write('', () => resolve()));
    await Promise.race([taken, pause(withinMs, undefined, { ref: false })]);
  }
}
