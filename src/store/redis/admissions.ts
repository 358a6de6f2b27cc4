import type { Avatar } from '../../domain/avatar.js';
import { beginSubmit } from '../../domain/moves.js';
import { NO_CAPS } from '../../domain/spend.js';
import { wholeDelay } from '../delay.js';
import { CorruptRecordError } from '../record.js';
import {
  type Admission,
  type Admitted,
  type Begin,
  CallerLimitError,
  QueueFullError,
  StoreUnavailableError,
} from '../store.js';
import { maxUnfinishedFor, placeOf } from './account-entries.js';
import type { Connection } from './connection/connection.js';
import type { Known } from './connection/safety.js';
import { idIn, idWord } from './ids.js';
import { beginWord } from './marks.js';
import { contentOf, type Records, recordIn, usable } from './records.js';
import { PIECE_BYTES, type Submissions } from './submissions.js';

/** Parts of a turn in the queue, so small that sums of them stay exact, as a number here and as a score in Redis, for 2^37 turns. */
const PARTS = 2 ** 16;

/** What an admission works with. */
interface StoreParts {
  readonly redis: Connection;
  readonly records: Records;
  readonly submissions: Submissions;
  readonly known: Known;
}

type Answer = readonly [
  word: Buffer,
  now: number,
  stored: Buffer | null,
  which: Buffer | null,
  ...rest: readonly (number | Buffer)[],
];

/**
 * Admits a new avatar: one script for one with a small submission; a large one is asked for by Redis before it is sent.
 * @throws CallerLimitError, CorruptRecordError, QueueFullError, StoreUnavailableError
 */
export async function admit(
  { redis, records, submissions, known }: StoreParts,
  avatar: Avatar,
  submission: readonly Buffer[],
  admission: Admission,
): Promise<Admitted> {
  const { id, idempotency } = avatar;
  const { dueInMs, doubtMs, bounds, share = 1, caps = NO_CAPS, begin } = admission;
  const { month, day } = placeOf(avatar);
  const bytes = submission.reduce((sum, { length }) => sum + length, 0);
  const isLarge = bytes > PIECE_BYTES;
  const args = {
    ...{
      id: idWord(id),
      bytes,
      content: contentOf(avatar),
      submission: Buffer.concat(isLarge ? [] : submission),
      pieces: isLarge ? Math.ceil(bytes / PIECE_BYTES) : 0,
    },
    ...{
      due: wholeDelay(dueInMs),
      doubt: wholeDelay(doubtMs),
      step: Math.floor(PARTS / share) / PARTS,
      ...bounds,
    },
    date: `${month}_${day}`,
    unfinished: maxUnfinishedFor(avatar, admission) ?? '',
    day: roomBefore(avatar, caps.day),
    month: roomBefore(avatar, caps.month),
    begin: beginWord(begin),
  };
  // Asked without waiting for copies: what it says otherwise is asked again.
  if (isLarge && String(((await redis.run('admit', args)) as Answer)[0]) === 'upload')
    await submissions.upload(id, submission);
  const [word, now, stored, which, ...rest] = (await redis.write('admit', args)) as Answer;
  const outcome = String(word);
  switch (outcome) {
    case 'known':
      return { outcome, ...usable(await records.read(idIn(which ?? ''), stored, now)) };
    case 'begun':
    case 'queued': {
      const [day = 0, month = 0, place] = rest;
      known.note(place);
      // Its creator knows of it from here on. Where this is lost, the doubt ends by itself.
      if (outcome === 'queued' && idempotency === null)
        redis.use((client) => client.zrem(redis.key('queue-doubt'), idWord(id))).catch(() => {});
      const made = stored === null ? freshOf(avatar, begin, which) : recordIn(id, stored);
      return { outcome, ...made, now, spent: { day: Number(day), month: Number(month) } };
    }
    case 'avatars':
    case 'bytes':
      throw new QueueFullError(outcome);
    case 'unfinished':
    case 'day':
    case 'month':
      throw new CallerLimitError(outcome);
    case 'corrupt':
      throw new CorruptRecordError('an idempotency key leads to a record that cannot be read');
    default:
      throw new StoreUnavailableError('Redis does not have what was uploaded');
  }
}

/** @param key that it was begun with */
function freshOf(avatar: Avatar, begin: Begin | undefined, key: Buffer | null) {
  const isBegun = begin !== undefined && key !== null;
  return {
    avatar: isBegun ? beginSubmit(avatar, decodeURIComponent(String(key)), begin.intent) : avatar,
    version: 1,
  };
}

/** How many units may be spent before an avatar so that a cap holds; '' for any number. One that costs nothing always fits. */
function roomBefore({ spend }: Avatar, cap: number | null): number | '' {
  const units = spend?.reserved.units ?? 0;
  return cap === null || units === 0 ? '' : cap - units;
}
