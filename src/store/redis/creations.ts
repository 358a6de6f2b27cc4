import type { Avatar } from '../../domain/avatar.js';
import { NO_CAPS, type Spent } from '../../domain/spend.js';
import { standingOf } from '../../domain/standing.js';
import { maxUnfinishedFor, placeOf } from '../accounts.js';
import { wholeDelay } from '../delay.js';
import { callerDigest } from '../digests.js';
import { keyDigest } from '../idempotency.js';
import { encodeRecord } from '../record.js';
import { stepOf } from '../shares.js';
import {
  AvatarExistsError,
  CallerLimitError,
  type Creation,
  FEED_MS,
  QueueFullError,
  StoreUnavailableError,
  USE_MS,
} from '../store.js';
import { STATES, spendArgument, UNFINISHED } from './accounts.js';
import type { Connection } from './connection.js';
import type { Keys } from './keys.js';
import { namesOf } from './lists.js';
import type { LostWrites } from './lost-writes.js';
import { PIECE_BYTES, type Submissions, UPLOAD_MS } from './submissions.js';

/** When it was made, and what its caller has spent with it; or the id of the avatar that has its idempotency key. */
export type Made =
  | { readonly owner: null; readonly now: number; readonly spent: Spent }
  | { readonly owner: string };

/** New avatars: one command for one with a small submission; a large one is asked for by Redis before it is sent. */
export class Creations {
  readonly #redis: Connection;
  readonly #keys: Keys;
  readonly #lost: LostWrites;
  readonly #submissions: Submissions;

  constructor(redis: Connection, keys: Keys, lost: LostWrites, submissions: Submissions) {
    this.#redis = redis;
    this.#keys = keys;
    this.#lost = lost;
    this.#submissions = submissions;
  }

  /** @throws AvatarExistsError, CallerLimitError, QueueFullError, StoreUnavailableError */
  async make(avatar: Avatar, submission: readonly Buffer[], creation: Creation): Promise<Made> {
    const { id, caller, idempotency } = avatar;
    const { dueInMs, doubtMs, bounds, share = 1, caps = NO_CAPS } = creation;
    const queued = standingOf(avatar).queued ? '1' : '';
    const doc = encodeRecord(avatar);
    const bytes = submission.reduce((sum, { length }) => sum + length, 0);
    const isLarge = bytes > PIECE_BYTES;
    const names = namesOf(avatar);
    const argument = Buffer.concat(isLarge ? [] : submission);
    const answer = await this.#lost.send([id, 0, doc], async (token) => {
      const keys = this.#keysOf(avatar, token);
      const args = [
        ...[id, doc, argument, wholeDelay(dueInMs), token, caller, queued],
        ...[bounds.maxAvatars, bounds.maxBytes, wholeDelay(doubtMs), bytes, UPLOAD_MS],
        ...[names.mark, names.entry, names.external, FEED_MS, stepOf(share)],
        ...[maxUnfinishedFor(avatar, creation) ?? '', UNFINISHED, spendArgument(avatar), STATES],
        ...[placeOf(avatar).day, roomBefore(avatar, caps.day), roomBefore(avatar, caps.month), USE_MS],
        callerDigest(caller),
      ];
      // Without waiting for copies, since nothing is made by it: what it says otherwise is asked again below.
      const isAsked = isLarge && wordOf(await this.#redis.run('create', keys, ...args)) === 'upload';
      if (isAsked) await this.#submissions.upload(token, submission);
      return this.#redis.write('create', keys, ...args);
    });
    const word = wordOf(answer);
    if (word === 'upload') throw new StoreUnavailableError('Redis does not have what was uploaded');
    if (word === 'avatars' || word === 'bytes') throw new QueueFullError(word);
    if (word === 'unfinished' || word === 'day' || word === 'month') throw new CallerLimitError(word);
    if (answer === null) throw new AvatarExistsError(id);
    if (Buffer.isBuffer(answer)) return { owner: String(answer) };
    // From here on its creator knows of it. Where this is lost, the doubt ends by itself.
    const { doubt } = this.#keys;
    if (idempotency === null) await this.#redis.use((client) => client.zrem(doubt, id)).catch(() => {});
    const [now = 0, day = 0, month = 0] = answer as number[];
    return { owner: null, now, spent: { day, month } };
  }

  #keysOf(avatar: Avatar, token: string): string[] {
    const { id, caller, idempotency } = avatar;
    const keys = this.#keys;
    const digest = idempotency && keyDigest(caller, idempotency.key);
    const owner = callerDigest(caller);
    return [
      ...[keys.record(id), keys.submission(id), keys.due, keys.aside(id), keys.changes, keys.queue],
      ...[keys.callers, keys.clock, keys.bytes, keys.doubt, keys.upload(token)],
      ...[keys.list(owner), keys.feed(owner), keys.account(owner, placeOf(avatar).month), keys.everyone],
      ...keys.key(digest),
    ];
  }
}

/** What it lacks, or the bound that is reached; `null` where the answer is another one. */
function wordOf(answer: unknown): string | null {
  return Array.isArray(answer) && Buffer.isBuffer(answer[0]) ? String(answer[0]) : null;
}

/** How many units may be spent before an avatar so that a cap holds; '' for any number. One that costs nothing always fits. */
function roomBefore({ spend }: Avatar, cap: number | null): number | '' {
  const units = spend?.reserved.units ?? 0;
  return cap === null || units === 0 ? '' : cap - units;
}
