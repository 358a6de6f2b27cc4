/** What the processes of `bench:media` tell each other. */

import type { ProbeSaid, ProbeTold } from './probe-messages.js';

/** Bodies posted one after another on so many connections, while another thread asks a GET at fixed times. */
export interface Job {
  readonly body: BodyKind;
  readonly postUrl: string;
  readonly getUrl: string;
  readonly connections: number;
  readonly warmUpMs: number;
  readonly measureMs: number;
}

export type BodyKind = 'json' | 'multipart';

/** What came of a job, of its measured time alone. */
export interface Loaded {
  /** Those that were answered in that time, and as they should be. */
  readonly bodies: number;
  /** Everything else, by what it was. */
  readonly notOk: Readonly<Record<string, number>>;
  readonly getsMs: readonly number[];
}

/** From the bench to a process. */
export type Told = ProbeTold | { readonly kind: 'load'; readonly job: Job };

/** From a process to the bench. */
export type Said =
  | ProbeSaid
  /** The load has its bodies; how long they are. */
  | { readonly kind: 'ready'; readonly bodyBytes: Readonly<Record<BodyKind, number>> }
  | { readonly kind: 'measuring' }
  | { readonly kind: 'measured' }
  | { readonly kind: 'loaded'; readonly loaded: Loaded };

/** A request that was not answered, in one word. */
export function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return 'error';
  return 'code' in error ? String(error.code) : error.name;
}
