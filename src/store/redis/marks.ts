/** What scripts know of an avatar without reading its document: the mark of its status and the words of its head. */

import { createHash } from 'node:crypto';
import { type Avatar, isFinal, STATUSES, type Status } from '../../domain/avatar.js';
import { holdingsOf } from '../../domain/holdings.js';
import { spendStateOf } from '../../domain/spend.js';
import { wholeDelay } from '../delay.js';
import { keyDigest } from '../idempotency.js';
import type { Begin } from '../store.js';
import { BEGINS, costsOf, placeOf } from './account-entries.js';

export const MARKS: Readonly<Record<Status, string>> = {
  queued: 'q',
  submitting: 's',
  pending: 'p',
  processing: 'r',
  succeeded: 'd',
  failed: 'f',
  timed_out: 't',
  canceled: 'c',
  unconfirmed: 'u',
};

export const STATUS_OF: ReadonlyMap<string, Status> = new Map(
  STATUSES.map((status) => [MARKS[status], status]),
);

const marksWhere = (is: (status: Status) => boolean) =>
  STATUSES.filter(is)
    .map((status) => MARKS[status])
    .join('');
const holdings = (status: Status) => holdingsOf({ status, keyId: 'any' });

export const UNFINISHED = marksWhere((status) => !isFinal(status));
/** Those that hold a slot of their key. */
export const HOLDS_SLOT = marksWhere((status) => holdings(status).slot);
/** Those that are due in the index of their key. */
export const AT_KEY = marksWhere((status) => holdings(status).dueIndex !== null);
/** Each mark that counts for its caller's spend, and where the numbers of its state begin in an entry, from 1. */
export const STATES = STATUSES.map((status) => {
  const begins = BEGINS[spendStateOf(status)];
  return begins === null ? '' : `${MARKS[status]}${begins + 1}`;
}).join('');

/** How many letters say when an avatar was created, in base 36 and so in order: until the year 5188. */
export const ENTRY_TIME = 9;
const LATEST = 36 ** ENTRY_TIME - 1;

/** A moment in ms as it stands in lists. */
export function timeWord(ms: number): string {
  return Math.min(Math.max(0, Math.floor(ms)), LATEST)
    .toString(36)
    .padStart(ENTRY_TIME, '0');
}

/** A text without spaces, whatever is in it; '' for none. */
export function word(text: string | null): string {
  return text === null ? '' : encodeURIComponent(text);
}

/** What stands for an external id in lists. Two may share one: what was found is looked at. */
export function externalWord(externalId: string | null): string {
  return externalId === null ? '' : createHash('sha256').update(externalId).digest('base64url').slice(0, 8);
}

/** For scripts: a submit to be begun. */
export function beginWord({ intent, keys, leaseMs }: Begin): string {
  return JSON.stringify({
    intent: word(intent),
    keys: keys.map((each) => ({ ...each, keyId: word(each.keyId) })),
    leaseMs: wholeDelay(leaseMs),
  });
}

/** What an avatar counts for in its caller's accounts; '' where nothing is counted. */
export function spendWord(avatar: Avatar): string {
  if (avatar.spend === null) return '';
  const { month, day } = placeOf(avatar);
  const [, ms, units, , msSettled, unitsSettled] = costsOf(avatar.spend);
  return [month, day, avatar.mode, ms, units, msSettled, unitsSettled].join('_');
}

/** The words of a head, in the order of WORDS in prelude.lua. What is spent or released for good is not taken back, so it is left out. */
export function headOf(avatar: Avatar): string {
  const { status, attempt, keyId, intent, createdAt, externalId, idempotency, taskId, caller } = avatar;
  const idempotencyWord = idempotency === null ? '' : keyDigest(caller, idempotency.key).slice(0, 22);
  return [
    ...[MARKS[status], attempt, word(keyId), word(intent), timeWord(createdAt), externalWord(externalId)],
    ...[
      idempotencyWord,
      word(taskId),
      spendStateOf(status) === 'reserved' ? spendWord(avatar) : '',
      word(caller),
    ],
  ].join(' ');
}
