import { createHash } from 'node:crypto';
import type { Avatar } from '../../domain/avatar.js';
import type { AvatarSnapshot } from '../../gateway/view.js';
import { avatarView } from './view.js';

/** An avatar as it is sent, without its place in the queue. */
interface Rendered {
  /**
   * Tells what callers see from what they saw before, the same in every process. Not the version: that grows with every poll
   * and claim, also where a caller sees nothing of it.
   */
  readonly fingerprint: string;
  /** Weak: two answers with the same one may differ in the queue, which changes by itself. */
  readonly etag: string;
  readonly json: string;
}

/** Goes with the avatar: as long as a record is cached, so is what was rendered of it. */
const known = new WeakMap<Avatar, Rendered>();

/** @param basePath the same for all avatars of a process */
export function rendered(avatar: Avatar, basePath: string): Rendered {
  let found = known.get(avatar);
  if (found === undefined) {
    const json = JSON.stringify(avatarView({ avatar, queue: null }, basePath));
    const fingerprint = createHash('sha256').update(json).digest('base64url').slice(0, 22);
    found = { fingerprint, etag: `W/"${fingerprint}"`, json };
    known.set(avatar, found);
  }
  return found;
}

/** The JSON of an avatar with its place in the queue. */
export function jsonOf(seen: AvatarSnapshot, basePath: string): string {
  return seen.queue === null
    ? rendered(seen.avatar, basePath).json
    : JSON.stringify(avatarView(seen, basePath));
}
