/** The log: lines of JSON that hold the fields named here, in the shapes named here, and nothing else. */

import { isNativeError } from 'node:util/types';
import { type DestinationStream, type LevelWithSilent, type Logger, pino } from 'pino';
import type { LogFields } from '../gateway/log.js';
import { clean } from '../modellix/text.js';

/** More than a stack of ours has to tell. */
const MAX_FRAMES = 20;
const MAX_STACK = 4000;
/** An error, what caused it, and so on. */
const MAX_CAUSES = 5;
const MAX_LIST = 20;

/** What becomes of a field's value; `undefined` leaves it out. */
type Shape = (value: unknown) => unknown;

/** What may be a URL or a path, up to its end. */
const WORD = /\/[^\s"'`]*/g;
/** A user and a password before a host. */
const CREDENTIALS = /\/\/[^\s/"'`]*@/g;

/** What is as it may be, most of all there is. */
const PLAIN = /^[!->A-~](?:[ ->A-~]{0,400}[!->A-~])?$/;

/** One line, not for ever; of the URLs in it, neither a query nor a password. */
const words: Shape = (value) => {
  if (typeof value !== 'string') return undefined;
  if (PLAIN.test(value)) return value;
  return clean(value.slice(0, 2000).replace(CREDENTIALS, '//').replace(WORD, withoutQuery)) ?? '';
};
/** The query may be a signature. */
const withoutQuery = (url: string) => url.replace(/\?.+/, '?…');
const number: Shape = (value) => (Number.isFinite(value) ? value : undefined);
const flag: Shape = (value) => (typeof value === 'boolean' ? value : undefined);
const code: Shape = (value) => words(value) ?? number(value) ?? (value === null ? null : undefined);
const list: Shape = (value) => (Array.isArray(value) ? value.slice(0, MAX_LIST).map(words) : undefined);

/**
 * Of an error its name, message, code and frames, and those of its causes. Whatever else a driver hangs on one stays out: a
 * command with its arguments, a URL, headers.
 */
function error(value: unknown, depth = 1): object | undefined {
  if (!(value instanceof Error) && !isNativeError(value)) {
    return typeof value === 'string' ? { message: words(value) } : undefined;
  }
  const { name, message, stack, cause } = value;
  return {
    name: words(name),
    message: words(message),
    code: 'code' in value ? code(value.code) : undefined,
    stack: framesOf(String(stack), message),
    cause: depth < MAX_CAUSES ? error(cause, depth + 1) : undefined,
  };
}

/** The message stands in front of the frames, and may have lines that look like some. */
function framesOf(stack: string, message: string): string {
  const frames = stack
    .replace(message, () => '')
    .split('\n')
    .filter((line) => /^ {4}at /.test(line));
  return frames.slice(0, MAX_FRAMES).join('\n').slice(0, MAX_STACK);
}

/** As Fastify passes it on. */
interface Request {
  readonly method?: unknown;
  readonly url?: unknown;
  readonly ip?: unknown;
  readonly routeOptions?: { readonly url?: unknown };
}

/** Behind it is the token of an avatar, wherever a proxy has put it. */
const PUSH = /(\/modellix\/).+/i;

/** Without the query and the headers. The address stays: who knocks without a key has no other name. */
const request = ({ method, url, ip, routeOptions }: Request) => ({
  method: words(method),
  path: typeof url === 'string' ? words(url.split(/[?#]/, 1)[0]?.replace(PUSH, '$1…')) : undefined,
  route: words(routeOptions?.url),
  remoteAddress: words(ip),
});

const OURS: Readonly<Record<keyof LogFields, Shape>> = {
  err: (value) => error(value),
  avatarId: words,
  taskId: code,
  mode: words,
  status: code,
  step: words,
  attempt: number,
  polls: number,
  failures: number,
  outcome: words,
  reason: code,
  word: words,
  upstreamStatus: code,
  made: flag,
  refused: words,
  renewal: words,
  keptBytes: number,
  receiver: words,
  latencyMs: number,
  path: words,
  key: words,
  keys: number,
  restMs: number,
  ok: flag,
  spooled: flag,
  answers: number,
  file: words,
  slug: words,
  reqId: words,
  signal: words,
  caller: words,
  period: words,
  spentUsd: number,
  capUsd: number,
  billedUsd: number,
  estimatedUsd: number,
  callers: number,
  variable: words,
  permissions: words,
  maxConnections: number,
  dropped: number,
  files: number,
  proxy: words,
  hazards: list,
};

/** Those that Fastify logs by itself. */
const FASTIFYS: Readonly<Record<string, Shape>> = {
  req: (value) => request(value as Request),
  res: (value) => ({ statusCode: code((value as { statusCode?: unknown }).statusCode) }),
  responseTime: number,
  statusCode: code,
};

const SHAPES: Readonly<Record<string, Shape>> = { ...OURS, ...FASTIFYS };

/** Lines go to `destination`. */
export function createLog(level: LevelWithSilent, destination: DestinationStream): Logger {
  return pino(
    { level, name: 'avatar-gateway', serializers: { ...SHAPES, msg: words }, formatters: { log: known } },
    destination,
  );
}

function known(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([name]) => Object.hasOwn(SHAPES, name)));
}
