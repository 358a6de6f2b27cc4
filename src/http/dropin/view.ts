import type { FastifyRequest } from 'fastify';
import type { Avatar, Status } from '../../domain/avatar.js';
import type { VideoLink } from '../../gateway/video/links.js';
import { PREFIX } from './refusals.js';
import type { SubmittedTask, Task } from './schemas.js';

/** The one model there is, as answers name it. */
export const MODEL_ID = 'kling-avatar';

const WORDS: Readonly<Record<Status, Task['status']>> = {
  queued: 'pending',
  submitting: 'pending',
  pending: 'pending',
  processing: 'processing',
  succeeded: 'success',
  failed: 'failed',
  timed_out: 'failed',
  canceled: 'failed',
  unconfirmed: 'failed',
};

/** What every answer that is no refusal looks like. */
export function success<T>(data: T) {
  return { code: 0, message: 'success', data } as const;
}

/** The answer to a submit. @param base see `baseOf` */
export function submittedTask({ id, status }: Avatar, base: string): SubmittedTask {
  return {
    status: WORDS[status],
    task_id: id,
    model_id: MODEL_ID,
    get_result: { method: 'GET', url: `${base}${PREFIX}/tasks/${id}` },
  };
}

/** The answer to a query. @param base see `baseOf`. @param link to the video, where there is one */
export function taskView(avatar: Avatar, base: string, link: VideoLink | null): Task {
  const { id, status, video, submittedAt, completedAt } = avatar;
  const task = { status: WORDS[status], task_id: id, model_id: MODEL_ID };
  if (task.status === 'failed') {
    const reason = avatar.failure?.detail ?? 'It was canceled before it was sent. Nothing was spent.';
    // Clients look in either (contract, "Query").
    return { ...task, error: reason, message: reason };
  }
  if (video === null || link === null) return task;
  const { format, width, height, bytes } = video;
  const resource = {
    url: `${base}/avatars/${id}/video/${id}.mp4?${new URLSearchParams({ ...link })}`,
    type: 'video' as const,
    role: 'primary' as const,
    format: format ?? 'mp4',
    ...(width !== null && { width }),
    ...(height !== null && { height }),
    ...(bytes !== null && { size: bytes }),
  };
  return {
    ...task,
    ...(submittedAt !== null && completedAt !== null && { duration: completedAt - submittedAt }),
    result: { resources: [resource] },
    result_expires_at: goneAt(avatar),
  };
}

/** The video is there as long as the gateway remembers the avatar, and Modellix or the gateway has the file. */
function goneAt({ video, expiresAt }: Avatar): number {
  const atModellix = video?.keptBytes === null ? video.expiresAt : null;
  return Math.min(atModellix ?? Number.POSITIVE_INFINITY, expiresAt ?? Number.POSITIVE_INFINITY);
}

/**
 * What absolute URLs in an answer begin with, without a slash at the end.
 * @param publicUrl as it is configured; `null`: the host that the request was sent to
 */
export function baseOf({ protocol, host, socket }: FastifyRequest, publicUrl: string | null): string {
  if (publicUrl !== null) return publicUrl;
  const { localAddress = '127.0.0.1', localPort } = socket;
  // HTTP/1.0 needs no Host, and what it holds is up to whoever sends it.
  const scheme = protocol === 'https' ? 'https' : 'http';
  const said = `${scheme}://${host}`;
  if (host !== '' && URL.canParse(said)) return new URL(said).origin;
  return `${scheme}://${localAddress.includes(':') ? `[${localAddress}]` : localAddress}:${localPort}`;
}
