/** What is fuzzed: a name, files to begin with, and a function that must come to an end, in order. */

export interface Target {
  readonly name: string;
  /** Small files that the function takes, to begin with. */
  readonly seeds: readonly Buffer[];
  /** Done once before the first call: what the function needs, and would take longer to load than a call may last. */
  readonly prepare?: () => Promise<void>;
  /** The most bytes that the function is ever given. */
  readonly maxBytes: number;
  /**
   * Fails by throwing. It may look at its own results, and throw where they cannot be right.
   * The bytes are its own until it ends.
   */
  readonly run: (bytes: Buffer) => unknown;
  /** Whether what was thrown is how the function refuses bytes. */
  readonly isRefusal: (error: unknown) => boolean;
  /** Cuts a file into the pieces of its format, so that they can be moved about; by default there are none. */
  readonly split?: (bytes: Buffer) => readonly Buffer[];
  /** Makes checksums right again, without which most files end at the first of them. */
  readonly mend?: (bytes: Buffer) => void;
}
