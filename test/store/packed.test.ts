import t from 'tap';
import { newAvatar } from '../../src/domain/moves.js';
import { CorruptRecordError, decodeRecord, encodeRecord } from '../../src/store/record.js';
import { pack, unpack } from '../../src/store/redis/packed.js';
import { avatarOf } from './fixtures.js';

/** As an earlier release wrote it: it must be readable for ever. */
const WRITTEN =
  'NSB6Q6RtQtU4ctqH1Oa4En5+UUpqka6hOUYG8CpwdDeLCgnyyXIryyg0TQ3MDzdMSTH2CjMOLzcuczQtMwgoMC0I9TEp91VCr2jgeSM4sbJYISM1Jydf4VHDZIUnexc8XbpXiUDhCnGTkpWSoTmxOQdSoUGj3dTQCBHt5mYW8Fg3sTAyNBw8ZS16AoMWN5BUgb/sJbqsLSgtzkDm52YWF2fmpQdDWh+EymNTAzgguWiG1aLwBAwOLAA=';

const avatar = newAvatar(
  {
    id: 'av_0123456789abcdef0123456789abcdef',
    caller: 'team-a',
    idempotency: { key: 'order-17', fingerprint: 'JpAG6ZTRLjFvhq5eQoW1dd3JV3Ww3vA5v0Pp5pUL4wM' },
    mode: 'pro',
    prompt: 'Says hello – 你好',
    externalId: null,
    metadata: { order: '17' },
    image: { source: 'inline', format: 'png', width: 512, height: 768, bytes: 48_211 },
    audio: { source: 'audio_id', format: null, durationSeconds: null, bytes: null },
    costEstimateUsd: null,
    spend: null,
    traceparent: null,
    startBy: null,
    callbackUrl: null,
  },
  1_750_000_000_000,
);

/** Words that lie beside it. */
const BESIDE = 'av_0123456789abcdef0123456789abcdef q 0 team-a';
/** What is kept beside it. */
const QUEUED = { status: 'queued', keyId: null, attempt: 0, intent: null } as const;

t.test('packed: what was packed is unpacked, in a fraction of the space', async (t) => {
  for (const each of [avatar, avatarOf(), avatarOf({ prompt: 'x'.repeat(100_000) })]) {
    const record = encodeRecord(each);
    const packed = pack(record, BESIDE);
    t.same(unpack(packed, BESIDE), record);
    t.ok(packed.length < record.length / 2, `${packed.length} of ${record.length} bytes`);
    t.match(packed.toString('latin1'), /^5 z/, 'scripts see its schema');
  }
});

t.test('packed: what was written before is read', async (t) => {
  t.same(decodeRecord(avatar.id, unpack(Buffer.from(WRITTEN, 'base64'), BESIDE), QUEUED), avatar);
  t.same(unpack(encodeRecord(avatar), BESIDE), encodeRecord(avatar), 'also what was never packed');
});

t.test('packed: what a newer release wrote is left to its schema number', async (t) => {
  const newer = Buffer.from('9 z\u0001\u0002');
  t.same(unpack(newer, BESIDE), newer);
});

t.test('packed: no prefix of a packed record is one', async (t) => {
  const packed = pack(encodeRecord(avatar), BESIDE);
  for (let length = 3; length < packed.length; length++) {
    t.throws(() => unpack(packed.subarray(0, length), BESIDE), CorruptRecordError);
  }
});
