import { randomUUID } from 'node:crypto';
import type { Avatar } from '../../src/domain/avatar.js';
import { newAvatar } from '../../src/domain/moves.js';
import type {
  Admission,
  Begin,
  BegunSubmit,
  Claim,
  ListQuery,
  Store,
  Stored,
  SubmitTerms,
} from '../../src/store/store.js';

export const CALLER = 'team-a';
export const KEY = 'key-1';
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

/** An admission without bounds, due when it says; without doubt. */
export function dueIn(dueInMs: number, change: Partial<Admission> = {}): Admission {
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
      startBy: null,
      callbackUrl: null,
    },
    1_750_000_000_000,
  );
  return { ...made, ...change };
}

/** Avatars that are due, or will be, the first one longest. */
export async function dueInTurn(
  store: Store,
  count: number,
  inMs = 0,
): Promise<[Avatar, Avatar, Avatar, ...Avatar[]]> {
  const made: Avatar[] = [];
  let last = 0;
  while (made.length < count) {
    const { avatar, now } = await store.admit(
      avatarOf({ id: `av_${made.length}` }),
      [SUBMISSION],
      dueIn(inMs),
    );
    made.push(avatar);
    if (now < last) throw new Error('the clock went backwards');
    last = now;
  }
  return made as [Avatar, Avatar, Avatar, ...Avatar[]];
}

/** Terms of a key that has a slot and a call for any number. */
export function freely(keyId = KEY): SubmitTerms {
  return { keyId, slots: 1e6, calls: { intervalMs: 1 / 256, burst: 1e5 } };
}

/** A submit under a name that no other has. */
export function beginWith(...keys: readonly SubmitTerms[]): Begin {
  return { intent: randomUUID(), keys, leaseMs: LONG };
}

/** Begins the submits of so many that are first in the queue, in their order. */
export async function beginFirst(store: Store, count: number, keyId = KEY): Promise<readonly BegunSubmit[]> {
  return (await store.begin(beginWith(freely(keyId)), count)).begun;
}

/** Begins the submit of the first in the queue. */
export async function beginNext(store: Store, keyId = KEY): Promise<BegunSubmit> {
  const [first] = await beginFirst(store, 1, keyId);
  if (first === undefined) throw new Error('nothing could be begun');
  return first;
}

/** Claims without calls. */
export async function claim(
  store: Store,
  keyId: string | null,
  limit: number,
  leaseMs = LONG,
  change: Partial<Claim> = {},
): Promise<readonly Stored[]> {
  return (await store.claim({ keyId, limit, leaseMs, ...change })).claimed;
}

export function idsOf(list: readonly (Avatar | { avatar: Avatar })[]): string[] {
  return list.map((item) => ('avatar' in item ? item.avatar.id : item.id));
}
