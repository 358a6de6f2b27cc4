import { randomUUID } from 'node:crypto';
import type { Avatar } from '../../src/domain/avatar.js';
import { newAvatar } from '../../src/domain/moves.js';
import type { Creation, ListQuery, Store } from '../../src/store/store.js';

export const CALLER = 'team-a';
export const SUBMISSION = Buffer.from('{"prompt":"Hello"}');
/** A lease nobody waits for, and a due time that does not come. */
export const LONG = 3_600_000;

/** A first page without filters. */
export const EVERYTHING: ListQuery = {
  statuses: null,
  externalId: null,
  createdAfter: null,
  createdBefore: null,
  behind: null,
  limit: 100,
};

/** A creation without bounds, due when it says; without doubt. */
export function dueIn(dueInMs: number, change: Partial<Creation> = {}): Creation {
  return { dueInMs, doubtMs: 0, bounds: { maxAvatars: 1e9, maxBytes: 1e12 }, ...change };
}

/** An avatar of {@link CALLER}, queued, with what is given changed. */
export function avatarOf(change: Partial<Avatar> = {}): Avatar {
  const made = newAvatar(
    {
      id: `av_${randomUUID()}`,
      caller: CALLER,
      idempotency: null,
      mode: 'std',
      prompt: 'Says hello – 你好 \u0000',
      externalId: null,
      metadata: { order: '17' },
      image: { source: 'inline', format: 'jpeg', width: 512, height: 512, bytes: 48_211 },
      audio: { source: 'inline', format: 'mp3', durationSeconds: 7.2, bytes: 57_600 },
      costEstimateUsd: 0.3226,
      spend: null,
      traceparent: null,
      callbackUrl: null,
    },
    1_750_000_000_000,
  );
  return { ...made, ...change };
}

/** Avatars that are due, the first one longest. */
export async function dueInTurn(store: Store, count: number): Promise<[Avatar, Avatar, Avatar, ...Avatar[]]> {
  const made: Avatar[] = [];
  let last = 0;
  while (made.length < count) {
    const { avatar, now } = await store.create(avatarOf({ id: `av_${made.length}` }), [SUBMISSION], dueIn(0));
    made.push(avatar);
    if (now < last) throw new Error('the clock went backwards');
    last = now;
  }
  return made as [Avatar, Avatar, Avatar, ...Avatar[]];
}

export function idsOf(list: readonly (Avatar | { avatar: Avatar })[]): string[] {
  return list.map((item) => ('avatar' in item ? item.avatar.id : item.id));
}
