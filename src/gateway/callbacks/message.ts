import type { Avatar, Status } from '../../domain/avatar.js';
import type { Callback } from '../../domain/callbacks/callback.js';
import type { CallbackMessage, Ports } from '../ports.js';

/** Receivers and what stands before them may refuse more (Standard Webhooks, "Payload size"). */
const MAX_BYTES = 20_000;
/** What is left out where it is too long: the caller wrote it, and GET still has it. */
const DISPENSABLE = ['metadata', 'prompt'] as const;

/** What Modellix calls an end (contract, "Pushes"); what it has no word for has failed, as in the answer to a query. */
const EVENTS: Partial<Record<Status, string>> = { succeeded: 'succeeded', canceled: 'canceled' };

/**
 * What a receiver is told of an end: the avatar as GET shows it, or where it was asked for as at Modellix, what that would push. The
 * same each time, as long as it is the same end, but for the link to the video, which is good for an hour.
 * @param id names the end
 * @throws {StoreUnavailableError}
 */
export async function messageOf(
  { render, renderTask, videoLinks }: Pick<Ports, 'render' | 'renderTask' | 'videoLinks'>,
  avatar: Avatar,
  { taskBase }: Callback,
  id: string,
): Promise<Pick<CallbackMessage, 'body' | 'headers'>> {
  if (taskBase === null) return { body: avatarMessage(avatar, render), headers: {} };
  const link = avatar.video === null ? null : await videoLinks.sign(avatar.id);
  return {
    body: JSON.stringify(renderTask(avatar, taskBase, link)),
    headers: {
      'x-modellix-event': `prediction.task.${EVENTS[avatar.status] ?? 'failed'}`,
      'x-modellix-task-id': avatar.id,
      'x-modellix-delivery-id': id,
      'x-modellix-retry-count': String(avatar.failures),
    },
  };
}

function avatarMessage(avatar: Avatar, render: Ports['render']): string {
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
