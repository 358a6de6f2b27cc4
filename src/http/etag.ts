import { createHash } from 'node:crypto';
import type { Avatar } from '../domain/avatar.js';
import { avatarView } from './view.js';

const known = new WeakMap<Avatar, string>();

/**
 * Tells what callers see of an avatar from what they saw before: the same in every process. Its place in the queue, which changes
 * by itself, is left out.
 */
export function fingerprintOf(avatar: Avatar): string {
  const before = known.get(avatar);
  if (before !== undefined) return before;
  const view = JSON.stringify(avatarView({ avatar, queue: null }, ''));
  const fingerprint = createHash('sha256').update(view).digest('base64url').slice(0, 22);
  known.set(avatar, fingerprint);
  return fingerprint;
}

/** Weak: two answers with the same one may differ in the queue. */
export function etagOf(avatar: Avatar): string {
  return `W/"${fingerprintOf(avatar)}"`;
}

/** Whether `If-None-Match` names an ETag, by weak comparison (RFC 9110 §13.1.2). What cannot be read names none. */
export function isNamed(ifNoneMatch: string, etag: string): boolean {
  if (ifNoneMatch.trim() === '*') return true;
  const opaque = etag.replace(/^W\//, '');
  for (const [, each] of ifNoneMatch.matchAll(/(?:^|,)[ \t]*(?:W\/)?("[^"]*")[ \t]*(?=,|$)/g)) {
    if (each === opaque) return true;
  }
  return false;
}
