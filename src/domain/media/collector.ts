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

  /** @param piece not to be used by anyone else from now on */
  append(piece: Buffer): void {
    const needed = this.#length + piece.length;
    const isWhole = piece.length === piece.buffer.byteLength && piece.length >= this.#expectedBytes;
    if (this.#bytes === null && isWhole) {
      this.#bytes = piece;
    } else {
      this.#makeRoom(needed);
      this.#bytes?.set(piece, this.#length);
    }
    this.#length = needed;
  }

  /** All that was collected; it shares its memory with nothing else, so that it can be given to another thread. */
  take(): Buffer {
    const bytes = this.from(0);
    this.#bytes = null;
    this.#length = 0;
    return bytes;
  }

  #makeRoom(bytes: number): void {
    if (this.#bytes !== null && bytes <= this.#bytes.length) return;
    const least = this.#bytes === null ? this.#expectedBytes || FIRST_BYTES : 2 * this.#bytes.length;
    const larger = Buffer.allocUnsafeSlow(Math.max(least, bytes));
    larger.set(this.from(0));
    this.#bytes = larger;
  }
}
