import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import type { Avatar } from '../../src/domain/avatar.js';
import {
  CorruptRecordError,
  decodeRecord,
  encodeRecord,
  NewerRecordError,
  type Progress,
} from '../../src/store/record.js';
import { avatarOf } from './fixtures.js';

/** What a store keeps beside the document. */
const progressOf = ({ status, keyId, attempt, intent }: Avatar): Progress => ({
  ...{ status, keyId, attempt, intent },
});
/** Without the order of members, and without prototypes. */
const asJson = (avatar: Avatar): unknown => JSON.parse(JSON.stringify(avatar));
const QUEUED = progressOf(avatarOf());

t.test('record: what was encoded is decoded, whatever the caller wrote', async (t) => {
  const text = fc.string({ unit: 'binary' });
  const metadata = fc.dictionary(fc.oneof(text, fc.constant('__proto__')), text);
  fc.assert(
    fc.property(text, metadata, (prompt, metadata) => {
      const progress = { status: 'submitting', keyId: 'key-1', attempt: 2, intent: 'intent-1' } as const;
      const avatar = avatarOf({ id: 'av_1', prompt, metadata, ...progress });
      const decoded = decodeRecord('av_1', encodeRecord(avatar), progressOf(avatar));
      assert.deepEqual(asJson(decoded), asJson(avatar));
      assert.deepEqual(encodeRecord(decoded), encodeRecord({ ...avatar, ...QUEUED }), 'it is kept beside');
    }),
  );
  t.pass();
});

t.test('record: a member that a later release added is kept', async (t) => {
  const bytes = Buffer.from(
    encodeRecord(avatarOf({ id: 'av_1' }))
      .toString()
      .replace('{', '{"later":[1],'),
  );
  t.same(encodeRecord(decodeRecord('av_1', bytes, QUEUED)), bytes);
});

t.test('record: no prefix of a record, and none with a byte that is not UTF-8, is an avatar', async (t) => {
  const whole = encodeRecord(avatarOf({ id: 'av_1' }));
  for (let length = 0; length < whole.length; length++) {
    t.throws(() => decodeRecord('av_1', whole.subarray(0, length), QUEUED), CorruptRecordError);
  }
  const flipped = Buffer.from(whole);
  flipped[whole.indexOf('hello')] = 0xff;
  t.throws(() => decodeRecord('av_1', flipped, QUEUED), CorruptRecordError);
});

t.test('record: what a store keeps beside it has to be of its kind', async (t) => {
  const bytes = encodeRecord(avatarOf({ id: 'av_1' }));
  for (const progress of [
    null,
    {},
    { ...QUEUED, status: 'dreaming' },
    { ...QUEUED, attempt: '1' },
    { ...QUEUED, intent: undefined },
  ]) {
    t.throws(() => decodeRecord('av_1', bytes, progress), CorruptRecordError, JSON.stringify(progress));
  }
});

t.test('record: the error of a corrupt record does not quote what the caller wrote', async (t) => {
  const bytes = encodeRecord(avatarOf({ id: 'av_1', prompt: 'a secret' })).subarray(0, -1);
  t.throws(() => decodeRecord('av_1', bytes, QUEUED), {
    name: 'CorruptRecordError',
    message: /^(?!.*secret)/s,
  });
});

t.test('record: a higher schema number is a newer release, whatever follows', async (t) => {
  for (const bytes of ['9 {}', '17 not even JSON', '999999999 ']) {
    t.throws(() => decodeRecord('av_1', Buffer.from(bytes), QUEUED), NewerRecordError);
  }
  for (const bytes of ['0 {}', '-1 {}', '1.5 {}', '01 {}', ' 1 {}', '1e3 {}']) {
    t.throws(() => decodeRecord('av_1', Buffer.from(bytes), QUEUED), CorruptRecordError);
  }
});

t.test('record: what could not be read again is not written', async (t) => {
  t.throws(() => encodeRecord(avatarOf({ createdAt: Number.NaN })), TypeError);
  t.throws(() => encodeRecord(avatarOf({ costEstimateUsd: Number.POSITIVE_INFINITY })), TypeError);
});
