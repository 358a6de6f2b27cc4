/** The reckoning, once all is quiet: the ledger, what was told and seen, and the records in the store. */

import { type Avatar, isFinal } from '../../src/domain/avatar.js';
import type { Book } from './book.js';

/** @param endless the tasks that never end */
export function reckon(book: Book, stored: readonly Avatar[], endless: ReadonlySet<string>): void {
  const byToken = groupBy(stored, ({ prompt }) => prompt ?? '');
  const byId = new Map(stored.map((avatar) => [avatar.id, avatar]));
  ledgerIsKnown(book, byToken);
  for (const avatar of stored) {
    book.check('I3', isFinal(avatar.status), () => `${avatar.id} is still ${avatar.status}`);
    const isGivenUp = avatar.status === 'timed_out' && !endless.has(avatar.taskId ?? '');
    book.check('I3', !isGivenUp, () => `${avatar.id} is given up, and its task ${avatar.taskId} has ended`);
  }
  for (const sighting of book.sightings.values()) {
    const { id, final, token } = sighting;
    const avatar = byId.get(id);
    const ask = book.asks.get(token);
    book.checkOf(ask, 'I3', avatar !== undefined, () => `${id} was seen and is not in the store`);
    book.checkOf(ask, 'I3', final !== null, () => `${id} was never seen final`);
    book.checkOf(ask, 'I2', final?.status === avatar?.status, () => {
      return `${id} was ${final?.status} when last seen, and is ${avatar?.status} in the store`;
    });
  }
  for (const ask of book.asks.values()) {
    const avatars = byToken.get(ask.token) ?? [];
    const ids = avatars.map(({ id }) => id).join(' and ');
    book.checkOf(ask, 'I5', avatars.length <= 1, () => `${ask.token} (key ${ask.key}) made ${ids}`);
    const unwanted = avatars.length > 0;
    const detail = () => `${ask.token} (${ask.kind}) made ${ids}`;
    if (ask.kind === 'invalid') book.check('I6', !unwanted, detail);
    if (ask.kind === 'other-body') book.checkOf(ask, 'I6', !unwanted, detail);
    for (const id of ask.ids) {
      book.checkOf(
        ask,
        'I5',
        byId.get(id)?.prompt === ask.token,
        () => `${id} is not the avatar of ${ask.token}`,
      );
    }
  }
  const keyed = stored.filter(({ idempotency }) => idempotency !== null);
  for (const [key, avatars] of groupBy(keyed, ({ idempotency }) => idempotency?.key ?? '')) {
    const ids = avatars.map(({ id }) => id).join(' and ');
    book.check('I5', avatars.length === 1, () => `the key ${key} has ${ids}`);
  }
}

/** Each task is its avatar's, or stands beside an `unconfirmed` avatar of its request, one beside one. */
function ledgerIsKnown(book: Book, byToken: ReadonlyMap<string, readonly Avatar[]>): void {
  for (const [token, entries] of book.ledger) {
    const avatars = byToken.get(token) ?? [];
    const ask = book.asks.get(token);
    const unknown = entries.filter(({ taskId }) => !avatars.some((avatar) => avatar.taskId === taskId));
    const doubtful = avatars.filter(({ status, taskId }) => status === 'unconfirmed' && taskId === null);
    book.checkOf(ask, 'I4', unknown.length <= doubtful.length, () => {
      const are = avatars.map(({ id, status, taskId }) => `${id} ${status} ${taskId}`).join(', ');
      return `${unknown.map(({ taskId }) => taskId).join(', ')} of ${token} is unknown; avatars: ${are || 'none'}`;
    });
    book.checkOf(ask, 'I1', entries.length <= 1, () => `${token} was paid for ${entries.length} times`);
  }
}

function groupBy<T>(items: readonly T[], nameOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) groups.set(nameOf(item), [...(groups.get(nameOf(item)) ?? []), item]);
  return groups;
}
