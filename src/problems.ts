/** Problems as they are thrown and answered. Which there are: problem-catalogue.ts. */

import { CATALOGUE, type ProblemType } from './problem-catalogue.js';

export type ProblemSlug = keyof typeof CATALOGUE;

export const PROBLEMS: Readonly<Record<ProblemSlug, ProblemType>> = CATALOGUE;

/** One field at fault; `pointer` is an RFC 6901 JSON pointer into the body, or the name of a query parameter. */
export interface FieldError {
  readonly pointer: string;
  readonly detail: string;
}

/** The `type` URI of a problem. */
export function problemType(slug: ProblemSlug): string {
  return `urn:avatar-gateway:problem:${slug}`;
}

interface ProblemOptions {
  readonly errors?: readonly FieldError[];
  readonly headers?: Readonly<Record<string, string>>;
  /** What the problem is about, as a path, where that is more than the request: the avatar that was made. */
  readonly instance?: string;
  /** What Modellix answered with, where this is about that. */
  readonly upstreamStatus?: number | null;
  readonly cause?: unknown;
}

/** Thrown anywhere below a route; the HTTP layer answers with it. `detail` is shown to the caller. */
export class ProblemError extends Error {
  override readonly name = 'ProblemError';
  readonly slug: ProblemSlug;
  readonly errors: readonly FieldError[] | undefined;
  readonly headers: Readonly<Record<string, string>>;
  readonly instance: string | undefined;
  readonly upstreamStatus: number | null;

  constructor(slug: ProblemSlug, detail: string, options: ProblemOptions = {}) {
    // Where a caller's fault was found is never shown or logged, and to note it takes longer than all else about it.
    const { stackTraceLimit } = Error;
    if (PROBLEMS[slug].status < 500) Error.stackTraceLimit = 0;
    super(detail, options.cause === undefined ? undefined : { cause: options.cause });
    Error.stackTraceLimit = stackTraceLimit;
    this.slug = slug;
    this.errors = options.errors;
    this.headers = options.headers ?? {};
    this.instance = options.instance;
    this.upstreamStatus = options.upstreamStatus ?? null;
  }
}
