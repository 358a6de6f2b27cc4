/** The part of the contract on records that cannot be read. */

import type { Test } from 'tap';
import type { Avatar } from '../../src/domain/avatar.js';
import { CorruptRecordError, encodeRecord } from '../../src/store/record.js';
import { type Store, StoreUnavailableError } from '../../src/store/store.js';
import { avatarOf, CALLER, claim, dueInTurn, idsOf, LONG } from './fixtures.js';

/** The bytes at rest, past the store. */
export interface Raw {
  record(id: string): Promise<Buffer | null>;
  overwrite(id: string, bytes: Buffer): Promise<void>;
  /** What was quarantined of it. */
  quarantined(id: string): Promise<Buffer | null>;
}

export interface Opened {
  /** The store; after {@link raw} it may be another object. */
  readonly store: Store;
  raw<T>(work: (raw: Raw) => Promise<T>): Promise<T>;
  /** What holds bytes of submissions at rest, looked at while the store is open. */
  submissions(): Promise<string[]>;
  /** Another way to the same data, where there can be one; closed with the test. */
  peer?(): Promise<Store>;
  /** How many commands work took in the store, where that can be counted. */
  commands?(work: () => Promise<unknown>): Promise<number>;
}

/** Names a test of the store that is under test, and opens one for it. */
export type Check = (what: string, body: (t: Test, opened: Opened) => Promise<void>) => void;

export function damagedRecords(check: Check): void {
  for (const [what, bytes] of corruptions(avatarOf())) {
    check(`a corrupt record is quarantined as it is, the others go on: ${what}`, async (t, opened) => {
      const [bad, found, good] = await dueInTurn(opened.store, 3);
      await opened.raw((raw) => raw.overwrite(bad.id, bytes));
      await opened.raw((raw) => raw.overwrite(found.id, bytes));
      await t.rejects(opened.store.find(CALLER, found.id), CorruptRecordError);
      t.same(idsOf(await claim(opened.store, null, 10, 0)), [good.id]);
      t.same(idsOf(await claim(opened.store, null, 10, LONG)), [good.id]);
      t.same(opened.store.health(), { corruptRecords: 2 });
      t.not((await opened.store.outlook([])).dueInMs, 0);
      await t.rejects(
        opened.store.find(CALLER, bad.id),
        CorruptRecordError,
        'it is not said to be not found',
      );
      for (const { id } of [bad, found]) t.same(await opened.raw((raw) => raw.quarantined(id)), bytes);
    });
  }

  check('a record of a newer release is left byte for byte, the others go on', async (t, opened) => {
    const [newer, good] = await dueInTurn(opened.store, 2);
    const bytes = Buffer.from('9 {"whatever":"a newer release writes"}');
    await opened.raw((raw) => raw.overwrite(newer.id, bytes));
    t.same(idsOf(await claim(opened.store, null, 1, LONG)), [], 'put off');
    t.same(idsOf(await claim(opened.store, null, 1, LONG)), [good.id]);
    t.not((await opened.store.outlook([])).dueInMs, 0);
    await t.rejects(opened.store.find(CALLER, newer.id), StoreUnavailableError);
    t.same(opened.store.health(), { corruptRecords: 0 });
    t.same(await opened.raw((raw) => raw.record(newer.id)), bytes);
    await opened.raw((raw) => raw.overwrite(newer.id, encodeRecord(newer)));
    t.match(await opened.store.find(CALLER, newer.id), { version: 1 }, 'nobody had it');
  });
}

function corruptions(avatar: Avatar): [string, Buffer][] {
  const whole = encodeRecord(avatar);
  return [
    ['empty', Buffer.alloc(0)],
    ['cut short', whole.subarray(0, whole.length - 9)],
    ['random bytes', Buffer.from(Array.from({ length: 64 }, (_, i) => 255 - i))],
    ["another avatar's", whole],
    ['a member of the wrong kind', Buffer.from(whole.toString().replace('"polls":0', '"polls":"0"'))],
    ['no avatar', Buffer.from('1 {"__proto__":{"id":"av_0"}}')],
  ];
}
