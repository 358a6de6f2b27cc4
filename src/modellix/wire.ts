/**
 * Their JSON to ours. Pure; never throws, whatever the bytes. The rules are those of the contract: strict
 * where money hangs on it (a submit), liberal in what a query may say.
 */

import { unitsIn } from '../domain/spend.js';
import type { Bill, QueryOutcome, Refused, Reply, Resource, SubmitOutcome } from './outcome.js';
import { reasonIn, saysNoRoute } from './reason.js';
import { rateHeaders, retryAfterMs, SECONDS_BELOW } from './retry-after.js';
import { type AnswerHeaders, clean } from './text.js';

export type { AnswerHeaders } from './text.js';

/** What reading an answer needs besides the answer: the time, and the key that must not show up in a text. */
export interface Reading {
  readonly now: number;
  readonly secret?: string;
}

/** A refusal after which no task exists. 408, 409 and 425 are not among them (contract, "A submit costs money"). */
const DEFINITE_REFUSALS: ReadonlySet<number> = new Set([400, 401, 402, 403, 404, 405, 413, 415, 422, 429]);

const PENDING: ReadonlySet<string> = new Set(['pending', 'queued', 'created']);
const PROCESSING: ReadonlySet<string> = new Set(['processing', 'running', 'in_progress']);
const SUCCESS: ReadonlySet<string> = new Set(['success', 'succeeded', 'completed', 'done']);
const CANCELED: ReadonlySet<string> = new Set(['canceled', 'cancelled']);
const FAILURE: ReadonlySet<string> = new Set(['failed', 'error', ...CANCELED]);

/** Whether it can be asked after: 1 to 256 visible ASCII characters. */
export function isTaskId(value: unknown): value is string {
  return typeof value === 'string' && /^[\x21-\x7e]{1,256}$/.test(value);
}

/** What a complete answer to a submit means. Only a status that is a definite refusal is one. */
export function readSubmitAnswer(
  status: number,
  headers: AnswerHeaders,
  body: Uint8Array,
  reading: Reading,
): Reply<SubmitOutcome> {
  return {
    outcome: submitOutcome(status, headers, body, reading),
    limits: rateHeaders(headers, reading.now),
  };
}

function submitOutcome(
  status: number,
  headers: AnswerHeaders,
  body: Uint8Array,
  { now, secret }: Reading,
): SubmitOutcome {
  const answer = envelope(body);
  const taskId = answer?.code === 0 && isTaskId(answer.data?.task_id) ? answer.data.task_id : null;
  if (isOk(status)) {
    if (taskId !== null) return { kind: 'accepted', taskId };
    return { kind: 'unknown', status, reason: `Modellix answered ${status} ${whatIsWrong(answer)}` };
  }
  if (!DEFINITE_REFUSALS.has(status)) {
    return { kind: 'unknown', status, reason: `Modellix answered ${status}` };
  }
  // An answer that refuses and names a task contradicts itself: whoever repeats the submit may pay twice.
  if (taskId !== null) {
    return { kind: 'unknown', status, reason: `Modellix answered ${status} and named a task` };
  }
  const message = clean(answer?.message, secret);
  const reason = refusedFor(status, answer?.code, message);
  const limit = exceededBy(status, reason);
  return {
    kind: 'refused',
    status,
    message: message ?? `Modellix answered ${status}`,
    reason,
    limit,
    retryAfterMs: limit === null ? null : retryAfterMs(headers, now, limit),
  };
}

/** The status says enough of a key that is not accepted, and of a balance that is used up. */
function refusedFor(status: number, code: unknown, message: string | null): Refused['reason'] {
  if (status === 401) return null;
  if (status === 402) return 'arrears';
  if (status === 404 && code === 404 && message !== null && saysNoRoute(message)) return 'no-route';
  return reasonIn(message, code);
}

/** Which limit a refusal is about (contract, "Errors"). */
function exceededBy(status: number, reason: Refused['reason']): Refused['limit'] {
  if (reason === 'parallel') return 'tasks';
  return status === 429 && reason === null ? 'calls' : null;
}

/** What a complete answer to a query means. */
export function readQueryAnswer(
  status: number,
  headers: AnswerHeaders,
  body: Uint8Array,
  reading: Reading,
): Reply<QueryOutcome> {
  return {
    outcome: queryOutcome(status, headers, body, reading),
    limits: rateHeaders(headers, reading.now),
  };
}

/** The US dollars that are left of an account; `null` where the answer does not say. */
export function readBalanceAnswer(status: number, body: Uint8Array): number | null {
  const answer = envelope(body);
  const balance = isOk(status) && answer?.code === 0 ? answer.data?.balance : undefined;
  return typeof balance === 'number' ? balance : null;
}

function queryOutcome(
  status: number,
  headers: AnswerHeaders,
  body: Uint8Array,
  { now, secret }: Reading,
): QueryOutcome {
  const answer = envelope(body);
  const message = clean(answer?.message, secret) ?? `Modellix answered ${status}`;
  const byModellix = answer?.code === status;
  if (status === 404 && byModellix) return { kind: 'missing', message };
  if (status === 429) return { kind: 'limited', message, retryAfterMs: retryAfterMs(headers, now, 'calls') };
  if (!isOk(status)) {
    return { kind: 'unavailable', status, reason: message, ...(byModellix && { byModellix }) };
  }
  if (answer?.code !== 0 || answer.data === null) {
    return { kind: 'unavailable', status, reason: `Modellix answered ${status} ${whatIsWrong(answer)}` };
  }
  const { data } = answer;
  const said = clean(data.status, secret);
  if (said === null) {
    return { kind: 'unavailable', status, reason: `Modellix answered ${status} without a task status` };
  }
  const word = said.toLowerCase();
  if (PENDING.has(word)) return { kind: 'unfinished', status: 'pending' };
  if (PROCESSING.has(word)) return { kind: 'unfinished', status: 'processing' };
  if (SUCCESS.has(word)) {
    const expiresAt = instant(data.result_expires_at);
    return { kind: 'success', resource: resourceOf(data), expiresAt, ...billOf(data, secret) };
  }
  if (FAILURE.has(word)) {
    const message = reasonOf(answer, word, secret);
    const code = members(data.error)?.code;
    return {
      kind: 'failure',
      message,
      reason: reasonIn(message, code) ?? (CANCELED.has(word) ? 'canceled' : null),
      ...billOf(data, secret),
    };
  }
  return { kind: 'unfinished', status: 'processing', unfamiliarStatus: said };
}

/** A length of video below this is in seconds: as milliseconds it would be less than two seconds, as seconds more than half an hour. */
const MILLISECONDS_FROM = 2_000;

const utf8 = new TextDecoder('utf-8', { fatal: true });

type Members = Readonly<Record<string, unknown>>;

/** Their envelope: `code`, `message` and `data` are always there (contract, "Submit"). */
interface Envelope {
  readonly code: unknown;
  readonly message: unknown;
  readonly data: Members | null;
}

function members(value: unknown): Members | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Members) : null;
}

function envelope(body: Uint8Array): Envelope | null {
  let parsed: unknown;
  try {
    parsed = JSON.parse(utf8.decode(body));
  } catch {
    return null;
  }
  const top = members(parsed);
  return top === null ? null : { code: top.code, message: top.message, data: members(top.data) };
}

function isOk(status: number): boolean {
  return status >= 200 && status < 300;
}

function whatIsWrong(answer: Envelope | null): string {
  if (answer === null) return 'with a body that is not a JSON object';
  if (answer.code !== 0) return 'with a code that is not 0';
  return 'without usable data';
}

/** The place of a failed task's reason is unsure; the top-level message of a good answer is `success`. */
function reasonOf({ data, message }: Envelope, word: string, secret: string | undefined): string {
  const error = data?.error;
  const top = clean(message, secret);
  return (
    clean(error, secret) ??
    clean(members(error)?.message, secret) ??
    clean(data?.message, secret) ??
    (top === null || /^(success|ok)$/i.test(top) ? `Modellix says "${word}" and no reason` : top)
  );
}

/** Dollars in a decimal string alone: in another form they may be of another unit (contract, "Query"). */
function billOf(data: Members, secret: string | undefined): Bill {
  const billing = members(data.billing);
  const amount = billing?.amount ?? null;
  if (amount === null) return { billed: null };
  const { currency = 'USD' } = billing ?? {};
  const billed = typeof amount === 'string' && currency === 'USD' ? unitsIn(amount) : null;
  if (billed !== null) return { billed };
  const unusableBill = clean(`${JSON.stringify(amount)} ${JSON.stringify(currency)}`, secret) ?? '';
  return { billed, unusableBill };
}

function resourceOf(data: Members): Resource | null {
  const listed = members(data.result)?.resources;
  if (!Array.isArray(listed)) return null;
  const usable = listed.map(members).filter((item) => item !== null && isHttpUrl(item.url)) as Members[];
  const chosen =
    usable.find(({ role }) => role === 'primary') ?? usable.find(({ type }) => type === 'video') ?? usable[0];
  if (chosen === undefined) return null;
  return {
    url: String(chosen.url),
    format: clean(chosen.format),
    width: count(chosen.width),
    height: count(chosen.height),
    bytes: count(chosen.size),
    durationSeconds: secondsOf(chosen.duration),
  };
}

function isHttpUrl(value: unknown): boolean {
  return typeof value === 'string' && /^https?:\/\/[^\s\p{Cc}]{1,8192}$/iu.test(value) && URL.canParse(value);
}

function count(value: unknown): number | null {
  return typeof value === 'number' && Number.isSafeInteger(value) && value > 0 ? value : null;
}

/** Seconds or milliseconds: the contract does not say. No video is as short, or as long, as the other reading would make it. */
function secondsOf(value: unknown): number | null {
  if (typeof value !== 'number' || !(value > 0) || !Number.isFinite(value)) return null;
  return value < MILLISECONDS_FROM ? value : value / 1000;
}

/** `result_expires_at` comes as milliseconds, seconds or ISO 8601; without an offset it is taken for UTC. */
function instant(value: unknown): number | null {
  if (typeof value === 'string' && /^\d{1,15}$/.test(value)) return instant(Number(value));
  if (typeof value === 'string' && /^\d{4}-\d\d-\d\d/.test(value)) {
    const text = value.trim().replace(' ', 'T');
    const time = Date.parse(/T[^Z+-]*$/i.test(text) ? `${text}Z` : text);
    return Number.isNaN(time) ? null : time;
  }
  if (typeof value !== 'number' || !(value > 0)) return null;
  const ms = Math.floor(value < SECONDS_BELOW ? value * 1000 : value);
  return ms <= 8.64e15 ? ms : null;
}
