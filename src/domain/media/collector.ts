/** Puts bytes that arrive in pieces into one piece of memory. */

/** Where nothing is known of how much will come. */
const FIRST_BYTES = 4 * 1024;

export class ByteCollector {
  #bytes: Buffer | null = null;
  #length = 0;
  readonly #expectedBytes: number;

  /**
   * @param expectedBytes at most so many will come, as far as is known: then nothing is copied twice. Memory that is not
   * written to costs nothing.
   */
  constructor(expectedBytes = 0) {
    this.#expectedBytes = expectedBytes;
  }

  get length(): number {
    return this.#length;
  }

  /** A view of what was collected so far. */
  from(offset: number): Buffer {
    return (this.#bytes ?? Buffer.alloc(0)).subarray(offset, this.#length);
  }

  append(piece: Buffer): void {
    const needed = this.#length + piece.length;
    if (this.#bytes === null) {
      this.#bytes = Buffer.allocUnsafeSlow(Math.max(this.#expectedBytes || FIRST_BYTES, needed));
    } else if (needed > this.#bytes.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(2 * this.#bytes.length, needed));
      larger.set(this.#bytes.subarray(0, this.#length));
      this.#bytes = larger;
    }
    this.#bytes.set(piece, this.#length);
    this.#length = needed;
  }

  /** All that was collected; it shares its memory with nothing else, so that it can be given to another thread. */
  take(): Buffer {
    const bytes = this.from(0);
    this.#bytes = null;
    this.#length = 0;
    return bytes;
  }
}
