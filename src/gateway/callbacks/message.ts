import type { Avatar } from '../../domain/avatar.js';

/** Receivers and what stands before them may refuse more (Standard Webhooks, "Payload size"). */
const MAX_BYTES = 20_000;
/** What is left out where it is too long: the caller wrote it, and GET still has it. */
const DISPENSABLE = ['metadata', 'prompt'] as const;

/** What a receiver is told of an end: the avatar as GET shows it. The same each time, as long as it is the same end. */
export function messageOf(avatar: Avatar, render: (avatar: Avatar) => object): string {
  const head = {
    type: `avatar.${avatar.status}`,
    timestamp: new Date(avatar.completedAt ?? avatar.createdAt).toISOString(),
  };
  let data = render(avatar);
  let message = JSON.stringify({ ...head, data });
  for (const name of DISPENSABLE) {
    if (Buffer.byteLength(message) < MAX_BYTES) break;
    data = { ...data, [name]: null };
    message = JSON.stringify({ ...head, truncated: true, data });
  }
  return message;
}
