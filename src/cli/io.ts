/** What a command has of the process. Only the process itself touches more. */

/** A stream that is written to; a terminal, where it says so. */
export interface Output {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  /** Of a terminal. */
  readonly columns?: number;
}

export interface Io {
  /** What was asked for, and nothing else: it can be piped on. */
  readonly stdout: Output;
  /** How it goes, and what went wrong. */
  readonly stderr: Output;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Aborted when whoever waits wants it to end. */
  readonly signal: AbortSignal;
}
