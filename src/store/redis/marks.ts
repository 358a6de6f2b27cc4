/** What scripts know of an avatar without reading its document: the mark of its status and the words of its head. */

import { createHash } from 'node:crypto';
import { type Avatar, isFinal, STATUSES, type Status } from '../../domain/avatar.js';
import { EVERYONE, type Scope } from '../../domain/caller.js';
import { holdingsOf } from '../../domain/holdings.js';
import { isReserved } from '../../domain/spend.js';
import { wholeDelay } from '../delay.js';
import { keyDigest } from '../idempotency.js';
import type { Begin, CallTerms } from '../store.js';
import { numbersOf, placeOf } from './account-entries.js';
import { LETTERS } from './ids.js';

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

/** How many letters say when an avatar was created, in order: until the year 2109. */
export const ENTRY_TIME = 7;
const LATEST = 64 ** ENTRY_TIME - 1;

/** A moment in ms as it stands in lists. */
export function timeWord(ms: number): string {
  let [word, rest] = ['', Math.min(Math.max(0, Math.floor(ms)), LATEST)];
  for (; word.length < ENTRY_TIME; rest = Math.floor(rest / 64)) word = LETTERS.charAt(rest % 64) + word;
  return word;
}

export function timeIn(word: string): number {
  return Array.from(word).reduce((ms, letter) => ms * 64 + LETTERS.indexOf(letter), 0);
}

/** A text without spaces, whatever is in it; '' for none. */
export function word(text: string | null): string {
  return text === null ? '' : encodeURIComponent(text);
}

function digest(text: string, letters: number): string {
  return createHash('sha256').update(text).digest('base64url').slice(0, letters);
}

/** How many letters stand for an external id in `external`, and behind them for who gave it. */
const EXTERNAL = 8;
export const EXTERNAL_CALLER = 6;

/** What stands for an external id, of one caller or of all that gave the same. Two may share one: what was found is looked at. */
export function externalWord(externalId: string | null, scope: Scope): string {
  if (externalId === null) return '';
  return digest(externalId, EXTERNAL) + (scope === EVERYONE ? '' : digest(scope, EXTERNAL_CALLER));
}

/** For scripts: the terms of calls; '' where none is needed. */
export function callsWord(calls: CallTerms | undefined): string {
  if (calls === undefined) return '';
  const { intervalMs, burst, asOf } = calls;
  return `${intervalMs} ${burst} ${asOf?.revision ?? 0} ${asOf?.document ?? ''}`;
}

/** The same list of keys comes with many submits. */
const keysWords = new WeakMap<Begin['keys'], string>();

function keysWord(keys: Begin['keys']): string {
  let found = keysWords.get(keys);
  if (found === undefined) {
    found = keys.map(({ keyId, slots, calls }) => `${word(keyId)} ${slots} ${callsWord(calls)}\n`).join('');
    keysWords.set(keys, found);
  }
  return found;
}

/** For scripts: a submit to be begun; '' for none. */
export function beginWord(begin: Begin | undefined): string {
  if (begin === undefined) return '';
  return `${word(begin.intent)} ${wholeDelay(begin.leaseMs)}\n${keysWord(begin.keys)}`;
}

/** What an avatar counts for in its caller's accounts; '' where nothing is counted. */
export function spendWord(avatar: Avatar): string {
  if (avatar.spend === null) return '';
  const { month, day } = placeOf(avatar);
  return [month, day, avatar.mode, ...numbersOf(avatar)].join('_');
}

/** The words of a head, in the order of WORDS in prelude.lua. What is spent or released for good is not taken back, so it is left out. */
export function headOf(avatar: Avatar): string {
  const { status, attempt, keyId, intent, createdAt, externalId, idempotency, taskId, caller } = avatar;
  const idempotencyWord = idempotency === null ? '' : keyDigest(caller, idempotency.key).slice(0, 22);
  return [
    ...[
      MARKS[status],
      attempt,
      word(keyId),
      word(intent),
      timeWord(createdAt),
      externalWord(externalId, caller),
    ],
    ...[
      idempotencyWord,
      taskId === null ? '' : digest(taskId, 14),
      isReserved(status) ? spendWord(avatar) : '',
      word(caller),
    ],
  ].join(' ');
}
