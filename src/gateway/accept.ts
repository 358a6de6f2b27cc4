import { randomBytes } from 'node:crypto';
import { type Avatar, newAvatar } from '../domain/avatar.js';
import { estimateUsd } from '../domain/price.js';
import { submissionOf } from '../modellix/submission.js';
import { ProblemError } from '../problems.js';
import { fingerprintOf } from './fingerprint.js';
import { type Inspected, inspectMedia } from './inspect.js';
import type { Ports } from './ports.js';
import type { AvatarRequest } from './request.js';
import { withdraw } from './withdraw.js';
import type { Worker } from './worker.js';

export interface Accepted {
  readonly avatar: Avatar;
  /** The idempotency key had made this avatar before; nothing was made now. */
  readonly replayed: boolean;
}

/**
 * Checks the media, stores the avatar, and submits it. Resolves as soon as the submit is settled, or after the
 * grace with the avatar as it is then; the submit goes on whatever becomes of the caller. The avatar and its
 * idempotency key are one write, so however many requests with one key run at once, one makes the avatar.
 * @throws {ProblemError} for media that cannot be used, for a key that stood for another request, and when
 * Modellix refused (within the grace, or at an earlier request with the key)
 * @throws {StoreUnavailableError} when nothing was made
 */
export async function accept(
  ports: Ports,
  worker: Pick<Worker, 'step' | 'track'>,
  request: AvatarRequest,
): Promise<Accepted> {
  const { store, settings, log } = ports;
  const inspected = await inspectMedia(request.image, request.speech);
  const avatar = avatarOf(request, inspected);
  const submission = submissionOf({
    image: inspected.image.text,
    audio: inspected.speech.send,
    prompt: request.prompt,
    mode: request.mode,
  });
  const made = await store.create(avatar, submission, settings.stepLeaseMs).catch((error: unknown) => {
    worker.track(withdraw(ports, avatar));
    throw error;
  });
  if (made.avatar.id !== avatar.id) return { avatar: replay(made.avatar, avatar), replayed: true };
  // From the store's clock on, which its age is held against; this machine's may be hours off. The intent writes it down.
  const stored = { ...made, avatar: { ...avatar, createdAt: made.now } };
  log.info({ avatarId: avatar.id, mode: avatar.mode }, 'avatar accepted');

  const settled = worker.step(stored, submission).catch((error: unknown) => {
    log.warn({ err: error, avatarId: avatar.id }, 'the first submit did not settle; the worker goes on');
    return null;
  });
  const now = (await within(settings.submitGraceMs, settled)) ?? (await latest(ports, stored.avatar));
  return { avatar: unlessRefused(now, false), replayed: false };
}

function avatarOf(request: AvatarRequest, inspected: Inspected): Avatar {
  const { caller, idempotencyKey: key, mode, prompt, externalId, metadata, traceparent } = request;
  const audio = inspected.speech.facts;
  return newAvatar(
    {
      id: `av_${randomBytes(16).toString('hex')}`,
      caller,
      idempotency: key === null ? null : { key, fingerprint: fingerprintOf(request, inspected) },
      mode,
      prompt,
      externalId,
      metadata,
      image: inspected.image.facts,
      audio,
      costEstimateUsd: estimateUsd(mode, audio.durationSeconds),
      traceparent,
    },
    Date.now(),
  );
}

function replay(before: Avatar, asked: Avatar): Avatar {
  if (before.idempotency?.fingerprint !== asked.idempotency?.fingerprint) {
    const detail = 'An earlier request with this Idempotency-Key asked for something else.';
    throw new ProblemError('idempotency-key-reused', detail, { instance: `/avatars/${before.id}` });
  }
  return unlessRefused(before, true);
}

/** A caller whose request Modellix refused hears that, the first time and every time. */
function unlessRefused(avatar: Avatar, replayed: boolean): Avatar {
  const { status, taskId, failure, id } = avatar;
  if (status !== 'failed' || taskId !== null || failure === null) return avatar;
  throw new ProblemError(failure.type, failure.detail, {
    instance: `/avatars/${id}`,
    headers: replayed ? { 'idempotent-replayed': 'true' } : {},
  });
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
