/** What a command has of the process. Only the process itself touches more. */

import type { Readable } from 'node:stream';

/** A stream that is written to; a terminal, where it says so. */
export interface Output {
  /** @param done is called once it is written, or with the reason why it is not */
  write(content: string | Uint8Array, done?: (error?: Error | null) => void): unknown;
  readonly isTTY?: boolean;
  /** Of a terminal. */
  readonly columns?: number;
}

/** A stream that is read; a terminal, where it says so. */
export type Input = Readable & { readonly isTTY?: boolean };

export interface Io {
  readonly stdin: Input;
  /** What was asked for, and nothing else: it can be piped on. */
  readonly stdout: Output;
  /** How it goes, and what went wrong. */
  readonly stderr: Output;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Aborted when whoever waits wants it to end. */
  readonly signal: AbortSignal;
}
