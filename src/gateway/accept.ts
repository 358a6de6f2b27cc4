import { randomBytes } from 'node:crypto';
import type { Avatar } from '../domain/avatar.js';
import { newAvatar } from '../domain/moves.js';
import { costOf, estimateUsd, type Prices } from '../domain/price.js';
import { packSubmission, type Submission } from '../modellix/submission.js';
import { ProblemError } from '../problems.js';
import { CallerLimitError, QueueFullError } from '../store/store.js';
import { atLimit, requireMode, warnOfSpend } from './allowance.js';
import { fingerprintOf } from './fingerprint.js';
import { type Inspected, inspectMedia } from './inspect.js';
import type { Ports } from './ports.js';
import { requireCallable } from './receiver.js';
import type { AvatarRequest } from './request.js';
import type { SeenVersion } from './seen.js';
import type { Until } from './until.js';
import { withdraw } from './withdraw.js';
import type { Worker } from './worker.js';

export interface Accepted extends SeenVersion {
  /** The idempotency key had made this avatar before; nothing was made now. */
  readonly replayed: boolean;
}

/**
 * How long a creation that was not confirmed is kept from the queue: longer than a store takes over one write, so
 * that it can be taken back.
 */
const DOUBT_MS = 15_000;

/**
 * Checks the media, stores the avatar, and has it submitted. Resolves as soon as the submit is settled, at once where
 * the avatar has to wait for others, or after the grace with the avatar as it is then; the submit goes on whatever
 * becomes of the caller. The avatar and its idempotency key are one write, so however many requests with one key run
 * at once, one makes the avatar.
 * @throws {ProblemError} for media that cannot be used, for a receiver that may not be called, for a key that stood for another request, when the queue is
 * full, for what its caller may not have, or not yet, and when Modellix refused (within the grace, or at an earlier request with the key)
 * @throws {StoreUnavailableError} when nothing was made
 */
export async function accept(
  ports: Ports,
  worker: Pick<Worker, 'submitted' | 'track'>,
  until: Until,
  request: AvatarRequest,
): Promise<Accepted> {
  const { store, settings, limits, log } = ports;
  const { caller } = request;
  let submitted = Promise.resolve();
  const release = request.memory.retain();
  try {
    requireMode(caller, request.mode);
    await requireCallable(ports, caller, request.callbackUrl);
    const inspected = await inspectMedia(
      { ...ports, holder: request.memory.holder },
      request.image,
      request.speech,
    );
    const avatar = avatarOf(request, inspected, settings.prices, await limits.storeNow());
    const submission: Submission = {
      image: inspected.image.send,
      audio: inspected.speech.send,
      prompt: request.prompt,
      mode: request.mode,
    };
    const creation = {
      dueInMs: settings.queueTimeoutMs,
      doubtMs: DOUBT_MS,
      bounds: settings.queueBounds,
      share: caller.queueShare,
      maxUnfinished: caller.maxUnfinished,
      caps: caller.caps,
    };
    const packed = packSubmission(submission);
    const made = await store.create(avatar, packed, creation).catch((error: unknown) => {
      if (error instanceof QueueFullError) throw queueFull(ports, error);
      if (error instanceof CallerLimitError) throw atLimit(ports, caller, avatar, error);
      worker.track(withdraw(ports, avatar, DOUBT_MS));
      throw error;
    });
    const { version } = made;
    if (made.avatar.id !== avatar.id) {
      return { avatar: replay(made.avatar, avatar), version, queue: null, replayed: true };
    }
    log.info({ avatarId: avatar.id, mode: avatar.mode, caller: caller.name }, 'avatar accepted');
    if (made.spent !== null) warnOfSpend(ports, caller, avatar, made.spent);

    submitted = worker.submitted(avatar.id, submission);
    const graceMs = Math.min(ports.settings.submitGraceMs, request.graceMs ?? Number.POSITIVE_INFINITY);
    const asMade = { avatar, version, queue: null };
    const now =
      request.graceMs === 0 ? asMade : ((await settled(until, avatar, submitted, graceMs)) ?? asMade);
    unlessRefused(now.avatar, false);
    return { ...now, replayed: false };
  } finally {
    void submitted.finally(release);
  }
}

/** The avatar once its submit is settled, or as it is when it has to wait, or when the grace is over; `null` where the
 * store cannot say. */
async function settled(
  until: Until,
  { caller, id }: Avatar,
  submitted: Promise<void>,
  graceMs: number,
): Promise<SeenVersion | null> {
  const end = performance.now() + graceMs;
  await within(graceMs, submitted);
  // Another replica may have been faster: then it is its to settle.
  const wait = { withinMs: Math.max(0, end - performance.now()) };
  return until(caller, id, wait, ({ status }) => status !== 'submitting').catch(() => null);
}

function queueFull({ limits }: Ports, cause: QueueFullError): ProblemError {
  const seconds = Math.ceil(limits.roomInMs() / 1000);
  const detail = `The queue holds as many ${cause.bound} as it may. Nothing was made.`;
  return new ProblemError('queue-full', detail, { cause, headers: { 'retry-after': String(seconds) } });
}

function avatarOf(request: AvatarRequest, inspected: Inspected, prices: Prices, now: number): Avatar {
  const {
    caller,
    idempotencyKey: key,
    mode,
    prompt,
    externalId,
    metadata,
    traceparent,
    callbackUrl,
  } = request;
  const audio = inspected.speech.facts;
  return newAvatar(
    {
      id: `av_${randomBytes(16).toString('hex')}`,
      caller: caller.name,
      idempotency: key === null ? null : { key, fingerprint: fingerprintOf(request, inspected) },
      mode,
      prompt,
      externalId,
      metadata,
      image: inspected.image.facts,
      audio,
      costEstimateUsd: estimateUsd(prices, mode, audio.durationSeconds),
      spend: { reserved: costOf(prices, mode, audio.durationSeconds), settled: null },
      traceparent,
      callbackUrl,
    },
    now,
  );
}

function replay(before: Avatar, asked: Avatar): Avatar {
  if (before.idempotency?.fingerprint !== asked.idempotency?.fingerprint) {
    const detail = 'An earlier request with this Idempotency-Key asked for something else.';
    throw new ProblemError('idempotency-key-reused', detail, { instance: `/avatars/${before.id}` });
  }
  return unlessRefused(before, true);
}

/**
 * A caller whose request Modellix refused hears that, the first time and every time.
 * @throws {ProblemError}
 */
export function unlessRefused(avatar: Avatar, replayed: boolean): Avatar {
  const { status, taskId, failure, id } = avatar;
  if (status !== 'failed' || taskId !== null || failure === null) return avatar;
  throw new ProblemError(failure.type, failure.detail, {
    instance: `/avatars/${id}`,
    upstreamStatus: failure.upstreamStatus,
    headers: replayed ? { 'idempotent-replayed': 'true' } : {},
  });
}

/** Resolves with the work, or when its time is over. */
async function within(ms: number, work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const grace = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  try {
    await Promise.race([work, grace]);
  } finally {
    clearTimeout(timer);
  }
}
