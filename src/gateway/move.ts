import type { Avatar } from '../domain/avatar.js';
import type { Save } from '../store/store.js';

/** An avatar as it will be, and the write that makes it so. */
export interface Move extends Save {
  readonly avatar: Avatar;
}

/** The write that ends an avatar: nothing is left to submit, and it is due when it expires. */
export function ending(avatar: Avatar, retentionMs: number): Move {
  return { avatar, dueInMs: retentionMs, submission: 'drop' };
}
