import { randomBytes } from 'node:crypto';
import { type Avatar, type Mode, newAvatar } from '../domain/avatar.js';
import { estimateUsd } from '../domain/price.js';
import { submissionOf } from '../modellix/submission.js';
import { ProblemError } from '../problems.js';
import { inspectMedia, type Speech } from './inspect.js';
import type { Ports } from './ports.js';
import type { Worker } from './worker.js';

export type { Speech } from './inspect.js';

/** What a caller asks for, validated but for its media. `image` is a URL or base64, in ASCII bytes. */
export interface AvatarRequest {
  readonly caller: string;
  readonly image: Buffer;
  readonly speech: Speech;
  readonly prompt: string | null;
  readonly mode: Mode;
  readonly externalId: string | null;
  readonly metadata: Readonly<Record<string, string>>;
  readonly traceparent: string | null;
}

/**
 * Checks the media, stores the avatar, and submits it. Resolves as soon as the submit is settled, or after the
 * grace with the avatar as it is then; the submit goes on whatever becomes of the caller.
 * @throws {ProblemError} for media that cannot be used, and when Modellix refused within the grace
 * @throws {StoreUnavailableError} when nothing was made
 */
export async function accept(ports: Ports, worker: Worker, request: AvatarRequest): Promise<Avatar> {
  const { store, settings, log } = ports;
  const { image, speech } = await inspectMedia(request.image, request.speech);
  const submission = submissionOf({
    image: image.text,
    audio: speech.send,
    prompt: request.prompt,
    mode: request.mode,
  });
  const avatar = newAvatar(
    {
      id: `av_${randomBytes(16).toString('hex')}`,
      caller: request.caller,
      mode: request.mode,
      prompt: request.prompt,
      externalId: request.externalId,
      metadata: request.metadata,
      image: image.facts,
      audio: speech.facts,
      costEstimateUsd: estimateUsd(request.mode, speech.facts.durationSeconds),
      traceparent: request.traceparent,
    },
    Date.now(),
  );
  const stored = await store.create(avatar, submission, settings.stepLeaseMs);
  log.info({ avatarId: avatar.id, mode: avatar.mode }, 'avatar accepted');

  const settled = worker.step(stored, submission).catch((error: unknown) => {
    log.warn({ err: error, avatarId: avatar.id }, 'the first submit did not settle; the worker goes on');
    return null;
  });
  const now = (await within(settings.submitGraceMs, settled)) ?? (await latest(ports, stored.avatar));
  if (now.status === 'failed' && now.failure !== null) {
    throw new ProblemError(now.failure.type, now.failure.detail, { instance: `/avatars/${now.id}` });
  }
  return now;
}

/** The avatar as the store has it, or as it was made where the store cannot say. */
async function latest({ store }: Ports, avatar: Avatar): Promise<Avatar> {
  const stored = await store.find(avatar.caller, avatar.id).catch(() => null);
  return stored?.avatar ?? avatar;
}

async function within<T>(graceMs: number, work: Promise<T>): Promise<T | null> {
  let timer: NodeJS.Timeout | undefined;
  const grace = new Promise<null>((resolve) => {
    timer = setTimeout(resolve, graceMs, null);
  });
  try {
    return await Promise.race([work, grace]);
  } finally {
    clearTimeout(timer);
  }
}
