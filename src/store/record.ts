/**
 * The one form of an avatar at rest, the same in every store: a document, which is the schema number in decimal, a space,
 * and JSON; and beside it, in fields of their own, what a store changes by itself when it begins a submit.
 */

import Type, { type Static } from 'typebox';
import { Compile } from 'typebox/compile';
import { type Avatar, STATUSES } from '../domain/avatar.js';
import type { Delivery } from '../domain/callbacks/callback.js';
import { CorruptRecordError } from './errors.js';
import { SCHEMA, schemaOf } from './schema.js';

export { CorruptRecordError, SCHEMA };

/** A record of a newer release. It is whole, and not for this release to read or change. */
export class NewerRecordError extends Error {
  override readonly name = 'NewerRecordError';
}

const text = Type.Union([Type.String(), Type.Null()]);
const number = Type.Union([Type.Number(), Type.Null()]);

const amount = Type.Object({ durationMs: Type.Number(), units: Type.Number() });

// Members that are not listed are kept, not refused: a later release of the same schema may add some.
const Record = Type.Object({
  id: Type.String({ minLength: 1 }),
  caller: Type.String(),
  idempotency: Type.Union([Type.Object({ key: Type.String(), fingerprint: Type.String() }), Type.Null()]),
  status: Type.Enum(STATUSES),
  step: Type.Enum(['submit', 'poll', 'keep', 'deliver', 'expire']),
  mode: Type.Enum(['std', 'pro']),
  prompt: text,
  externalId: text,
  metadata: Type.Record(Type.String(), Type.String()),
  image: Type.Object({
    source: Type.Enum(['inline', 'url']),
    format: Type.Union([Type.Enum(['jpeg', 'png']), Type.Null()]),
    width: number,
    height: number,
    bytes: number,
  }),
  audio: Type.Object({
    source: Type.Enum(['inline', 'url', 'audio_id']),
    format: Type.Union([Type.Enum(['mp3', 'wav', 'm4a', 'aac']), Type.Null()]),
    durationSeconds: number,
    bytes: number,
  }),
  costEstimateUsd: number,
  spend: Type.Union([
    Type.Object({ reserved: amount, settled: Type.Union([amount, Type.Null()]), billed: number }),
    Type.Null(),
  ]),
  traceparent: text,
  keyId: text,
  taskId: text,
  video: Type.Union([
    Type.Object({
      url: Type.String(),
      format: text,
      width: number,
      height: number,
      bytes: number,
      expiresAt: number,
      keptBytes: number,
    }),
    Type.Null(),
  ]),
  callback: Type.Union([
    Type.Object({
      url: Type.String(),
      taskBase: text,
      state: Type.Enum(['waiting', 'delivered', 'given_up']),
      since: number,
      nextAt: number,
      deliveries: Type.Unsafe<readonly Delivery[]>(
        Type.Array(
          Type.Object({
            attempt: Type.Number(),
            at: Type.Number(),
            latencyMs: Type.Number(),
            status: number,
            error: text,
          }),
        ),
      ),
    }),
    Type.Null(),
  ]),
  failure: Type.Union([
    Type.Object({
      type: Type.Enum([
        'refused-by-modellix',
        'content-refused',
        'arrears',
        'account-problem',
        'never-sent',
        'not-started-in-time',
        'outcome-unknown',
        'not-made',
        'task-failed',
        'parallel-limit',
        'canceled-by-modellix',
        'task-lost',
        'task-timeout',
      ]),
      detail: Type.String(),
      upstreamStatus: number,
    }),
    Type.Null(),
  ]),
  attempt: Type.Number(),
  intent: text,
  polls: Type.Number(),
  polledAt: number,
  pushedAt: number,
  missingSince: number,
  failures: Type.Number(),
  createdAt: Type.Number(),
  startBy: number,
  submittedAt: number,
  completedAt: number,
  expiresAt: number,
});

const record = Compile(Record);
const utf8 = new TextDecoder('utf-8', { fatal: true });

/** What {@link Store.begin} changes: kept beside the document. */
export type Progress = Pick<Avatar, 'status' | 'keyId' | 'attempt' | 'intent'>;

/** {@link documentOf} in UTF-8. */
export const encodeRecord = (avatar: Avatar): Buffer => Buffer.from(documentOf(avatar));

/** The document of an avatar, without its {@link Progress}. Throws a TypeError on one that {@link decodeRecord} would refuse. */
export function documentOf(avatar: Avatar): string {
  // The assignment keeps the schema above in step with the domain: a word it lacks does not compile. An older
  // release cannot read a record with a new word, so a new word is a new SCHEMA.
  const value: Static<typeof Record> = avatar;
  if (!record.Check(value)) throw new TypeError(`${avatar.id} cannot be stored: ${firstFault(value)}`);
  const { status, keyId, attempt, intent, ...document } = value;
  return `${SCHEMA} ${JSON.stringify(document)}`;
}

/**
 * The avatar in the document that was found under `id`, and what was found beside it.
 *
 * @throws CorruptRecordError where there is none
 * @throws NewerRecordError where a newer release wrote them
 */
export function decodeRecord(id: string, bytes: Uint8Array, progress: unknown): Avatar {
  const schema = schemaOf(bytes);
  if (schema === null) throw new CorruptRecordError(`the record of ${id} has no schema number`);
  if (schema < SCHEMA)
    throw new CorruptRecordError(`the record of ${id} has schema ${schema}, of an earlier release`);
  if (schema > SCHEMA) {
    throw new NewerRecordError(
      `the record of ${id} has schema ${schema}; this release reads up to ${SCHEMA}`,
    );
  }
  let value: unknown;
  try {
    value = JSON.parse(utf8.decode(bytes.subarray(bytes.indexOf(SPACE) + 1)));
  } catch (cause) {
    // The parser's own words quote the record, which holds what callers wrote.
    throw new CorruptRecordError(
      `the record of ${id} is not ${cause instanceof SyntaxError ? 'JSON' : 'UTF-8'}`,
    );
  }
  if (typeof value === 'object' && value !== null && typeof progress === 'object')
    value = { ...value, ...progress };
  if (!record.Check(value)) {
    throw new CorruptRecordError(`the record of ${id} is not an avatar: ${firstFault(value)}`);
  }
  if (value.id !== id) throw new CorruptRecordError(`the record of ${id} is another avatar's`);
  return value;
}

const SPACE = 0x20;

function firstFault(value: unknown): string {
  const fault = record.Errors(value)[0];
  return fault === undefined ? 'unknown' : `${fault.instancePath || '/'} ${fault.message}`;
}
