/** What goes over the wire: paths, Modellix's envelope, and answers as plain values. */

/** The kinds of call that are told apart in the books and by faults. */
export type CallKind = 'submit' | 'query' | 'account' | 'result';

/** Where a path leads. `methods` are those it answers to. */
export type Route =
  | { readonly kind: 'submit'; readonly methods: readonly string[] }
  | { readonly kind: 'query'; readonly taskId: string; readonly methods: readonly string[] }
  | {
      readonly kind: 'account';
      readonly about: 'validate' | 'balance';
      readonly methods: readonly string[];
    }
  | {
      readonly kind: 'result';
      readonly taskId: string;
      readonly atEdge: boolean;
      readonly methods: readonly string[];
    }
  | { readonly kind: 'unknown' };

/** An answer before it is put on a socket. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** The submit paths Modellix has had over time; the first is the one its reference page names. */
export const SUBMIT_PATHS: readonly string[] = [
  '/api/v1/image-to-video/kling/kling-avatar/async',
  '/api/v1/kling/kling-avatar/async',
  '/api/v1/kling/kling-avatar',
];

const TASK_PATH = /^\/api\/v1\/tasks\/([^/]+)$/;
const RESULT_PATH = /^\/(results|edge)\/([^/]+)\.mp4$/;

/** A call Modellix turns down: `"<Category>: <detail>"`, with the HTTP status as its code. */
export class Refusal extends Error {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message);
    this.name = 'Refusal';
    this.status = status;
    this.headers = headers;
  }
}

/** Says which of Modellix's routes a path belongs to. */
export function routeOf(path: string): Route {
  if (SUBMIT_PATHS.includes(path)) return { kind: 'submit', methods: ['POST'] };
  if (path === '/api/v1/apikey/validate') return { kind: 'account', about: 'validate', methods: ['GET'] };
  if (path === '/api/v1/team/balance') return { kind: 'account', about: 'balance', methods: ['GET'] };
  const task = TASK_PATH.exec(path)?.[1];
  if (task !== undefined) return { kind: 'query', taskId: task, methods: ['GET'] };
  const [, place, result] = RESULT_PATH.exec(path) ?? [];
  if (result !== undefined) {
    return { kind: 'result', taskId: result, atEdge: place === 'edge', methods: ['GET', 'HEAD'] };
  }
  return { kind: 'unknown' };
}

/** Any value as a JSON answer. */
export function json(status: number, value: unknown, headers: Readonly<Record<string, string>> = {}): Answer {
  return {
    status,
    headers: { 'content-type': 'application/json; charset=utf-8', ...headers },
    body: Buffer.from(JSON.stringify(value)),
  };
}

/** `{code: 0, message, data}`. */
export function success(data: object, message = 'success'): Answer {
  return json(200, { code: 0, message, data });
}

/** A refusal in Modellix's envelope. */
export function refused(refusal: Refusal): Answer {
  return json(refusal.status, { code: refusal.status, message: refusal.message, data: {} }, refusal.headers);
}

/** RFC 7396: members of `patch` replace those of `target`, `null` removes. */
export function mergePatch(target: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return patch;
  const merged: Record<string, unknown> = isObject(target) ? { ...target } : {};
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete merged[name];
    else merged[name] = mergePatch(merged[name], value);
  }
  return merged;
}

/** Whether a value is a JSON object: neither `null` nor an array. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
