/** What the processes of `bench:media` tell each other. */

/** Between two measurements of the event loop's delay, which is part of each. */
export const LOOP_RESOLUTION_MS = 10;

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
export type Told =
  /** Collect garbage. */
  | { readonly kind: 'settle' }
  /** Measure from now on. */
  | { readonly kind: 'reset' }
  | { readonly kind: 'read' }
  | { readonly kind: 'load'; readonly job: Job };

/** From a process to the bench. */
export type Said =
  | { readonly kind: 'listening'; readonly url: string }
  | { readonly kind: 'settled' }
  | { readonly kind: 'reset' }
  | { readonly kind: 'figures'; readonly loopP99Ms: number; readonly cpuMs: number }
  /** The load has its bodies; how long they are. */
  | { readonly kind: 'ready'; readonly bodyBytes: Readonly<Record<BodyKind, number>> }
  | { readonly kind: 'measuring' }
  | { readonly kind: 'measured' }
  | { readonly kind: 'loaded'; readonly loaded: Loaded };

/** Says something to the bench, from a process that it started. */
export function say(said: Said): void {
  process.send?.(said);
}

/** A request that was not answered, in one word. */
export function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return 'error';
  return 'code' in error ? String(error.code) : error.name;
}
