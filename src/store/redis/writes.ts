import { type Avatar, isFinal } from '../../domain/avatar.js';
import { EVERYONE } from '../../domain/caller.js';
import { standingOf } from '../../domain/standing.js';
import { placeOf } from '../accounts.js';
import { wholeDelay } from '../delay.js';
import { callerDigest } from '../digests.js';
import { keyDigest } from '../idempotency.js';
import { encodeRecord } from '../record.js';
import type { Save, SaveResult } from '../store.js';
import { STATES, spendArgument } from './accounts.js';
import type { Connection } from './connection.js';
import type { Keys } from './keys.js';
import { namesOf } from './lists.js';
import type { LostWrites } from './lost-writes.js';
import { pack } from './packed.js';
import type { Records } from './records.js';

/** Writes of avatars that are there. */
export class Writes {
  readonly #redis: Connection;
  readonly #keys: Keys;
  readonly #lost: LostWrites;
  readonly #records: Records;

  constructor(redis: Connection, keys: Keys, lost: LostWrites, records: Records) {
    this.#redis = redis;
    this.#keys = keys;
    this.#lost = lost;
    this.#records = records;
  }

  /** @throws StoreUnavailableError */
  async save(avatar: Avatar, version: number, save: Save): Promise<SaveResult> {
    const { id, caller, taskId, keyId } = avatar;
    const { dueInMs, submission, slots, slotForMs = 0, silent = false } = save;
    const record = encodeRecord(avatar);
    const doc = isFinal(avatar.status) ? pack(record) : record;
    const { due, changes, queue, callers, clock, bytes, lanes, everyone } = this.#keys;
    const owner = callerDigest(caller);
    const names = namesOf(avatar);
    const keys = [
      ...[this.#keys.record(id), this.#keys.submission(id), due, changes, queue, callers, clock, bytes],
      ...[lanes, this.#keys.feed(owner), this.#keys.list(owner)],
      ...[this.#keys.account(owner, placeOf(avatar).month), everyone],
      ...[...this.#keys.ofLane(keyId), ...this.#keys.task(taskId)],
    ];
    const { queued, slot, lane } = standingOf(avatar);
    const standing = queued ? 'queued' : lane !== null ? 'lane' : slot ? 'slot' : '';
    const result = await this.#lost.send([id, version, doc], (token) =>
      this.#redis.write(
        'save',
        keys,
        ...[id, version, doc, wholeDelay(dueInMs), submission, token],
        ...[keyId ?? '', standing, wholeDelay(slotForMs), slots ?? '', silent ? '' : caller],
        ...[names.mark, names.entry, spendArgument(avatar), STATES],
      ),
    );
    const word = String(result);
    if (word === 'saved') return { saved: true, version: version + 1 };
    return { saved: false, reason: word === 'task-taken' || word === 'no-slot' ? word : 'stale' };
  }

  /** @throws StoreUnavailableError */
  async remove(id: string, version: number): Promise<boolean> {
    const found = await this.#records.find(EVERYONE, id);
    if (found === null || found instanceof Error || found.version !== version) return false;
    const { caller, idempotency, taskId, keyId } = found.avatar;
    const digest = idempotency && keyDigest(caller, idempotency.key);
    const owner = callerDigest(caller);
    const { due, changes, queue, bytes, doubt } = this.#keys;
    const keys = [
      ...[this.#keys.record(id), this.#keys.submission(id), due, changes, queue, bytes, doubt],
      ...[
        this.#keys.feed(owner),
        this.#keys.list(owner),
        this.#keys.account(owner, placeOf(found.avatar).month),
      ],
      ...[...this.#keys.ofLane(keyId), ...this.#keys.task(taskId), ...this.#keys.key(digest)],
    ];
    const names = namesOf(found.avatar);
    // What was not sent costs nothing, whoever takes it back.
    const takenBack = found.avatar.status === 'queued' ? spendArgument(found.avatar) : '';
    const args = [id, version, keyId ?? '', caller, names.entry, names.external, takenBack, STATES];
    return (await this.#redis.write('remove', keys, ...args)) === 1;
  }
}
