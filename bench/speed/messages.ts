/** What the bench and its load tell each other. */

export interface Job {
  readonly url: string;
  readonly method: 'GET' | 'POST';
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly connections: number;
  readonly length: Length;
}

/** When a job ends. */
export type Length = { readonly seconds: number } | { readonly answers: number };

/** What came of a job. */
export interface Loaded {
  readonly answers: number;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** How many answers had which status. */
  readonly statuses: Readonly<Record<string, number>>;
  /** Requests without an answer. */
  readonly errors: number;
}

export interface LoadTold {
  readonly kind: 'load';
  readonly job: Job;
}

export interface LoadSaid {
  readonly kind: 'loaded';
  readonly loaded: Loaded;
}
