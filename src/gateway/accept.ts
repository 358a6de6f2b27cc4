import { randomUUID } from 'node:crypto';
import type { Avatar } from '../domain/avatar.js';
import { newAvatar } from '../domain/moves.js';
import { costOf, estimateUsd, type Prices } from '../domain/price.js';
import { packSubmission, type Submission } from '../modellix/submission.js';
import { ProblemError } from '../problems.js';
import { CallerLimitError, QueueFullError, type Stored } from '../store/store.js';
import { requireCallable } from './callbacks/receiver.js';
import { fingerprintOf } from './intake/fingerprint.js';
import { type Inspected, inspectMedia } from './intake/inspect.js';
import type { AvatarRequest } from './intake/request.js';
import { waitsUntil } from './move.js';
import type { Ports } from './ports.js';
import { atLimit, requireMode, warnOfSpend } from './spend/allowance.js';
import type { VersionedSnapshot } from './view.js';
import { withdraw } from './withdraw.js';
import type { Worker } from './worker.js';

type Accepting = Pick<Worker, 'asking' | 'submit' | 'track' | 'wake'>;

/** What a creation came to. */
export interface Created extends VersionedSnapshot {
  /** The idempotency key had made this avatar before; nothing was made now. */
  readonly replayed: boolean;
}

/**
 * How long a creation that was not confirmed is kept from the queue: longer than a store takes over one write, so
 * that it can be taken back.
 */
const DOUBT_MS = 15_000;

/**
 * Checks the media, stores the avatar, and submits it in the same breath, where nobody waits before it and a key has a slot and a
 * call: one write, the POST, one write. Resolves when that is settled, or after the grace with the avatar as it is then;
 * the submit goes on whatever becomes of the caller. Where the avatar has to wait it resolves at once. The avatar and its
 * idempotency key are one write, so however many requests with one key run at once, one makes the avatar.
 * @throws {ProblemError} for media that cannot be used, for a receiver that may not be called, for a key that stood for another request, when the queue is
 * full, for what its caller may not have, or not yet, and when Modellix refused (within the grace, or at an earlier request with the key)
 * @throws {StoreUnavailableError} when nothing was made
 */
export async function accept(ports: Ports, worker: Accepting, request: AvatarRequest): Promise<Created> {
  const { store, settings, limits, log } = ports;
  const { caller } = request;
  let submitted: Promise<unknown> = Promise.resolve();
  const release = request.memory.retain();
  try {
    requireMode(caller, request.mode);
    await requireCallable(ports, caller, request.callbackUrl);
    const inspected = await inspectMedia(
      { holder: request.memory.holder, ...ports },
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
    const packed = packSubmission(submission);
    const askedAt = performance.now();
    const stored = await worker.asking((begin) => {
      const admission = {
        dueInMs: waitsUntil(settings, avatar) - avatar.createdAt,
        doubtMs: DOUBT_MS,
        bounds: settings.queueBounds,
        share: caller.queueShare,
        maxUnfinished: caller.maxUnfinished,
        caps: caller.caps,
        ...(begin !== null && { begin }),
      };
      return store.admit(avatar, packed, admission).catch((error: unknown) => {
        if (error instanceof QueueFullError) throw queueFull(ports, error);
        if (error instanceof CallerLimitError) throw atLimit(ports, caller, avatar, error);
        worker.track(withdraw(ports, avatar, begin?.intent ?? null, askedAt + DOUBT_MS));
        throw error;
      });
    });
    const { version, outcome } = stored;
    if (outcome === 'known') {
      return { avatar: replay(stored.avatar, avatar), version, queue: null, replayed: true };
    }
    log.info({ avatarId: avatar.id, mode: avatar.mode, caller: caller.name }, 'avatar accepted');
    warnOfSpend(ports, caller, avatar, stored.spent);
    let now: Pick<Stored, 'avatar' | 'version'> = stored;
    if (outcome === 'queued') {
      worker.wake();
    } else {
      const settled = worker.submit({ stored, askedAt, atHand: submission });
      submitted = settled;
      now = (await within(Math.min(settings.submitGraceMs, request.graceMs ?? Infinity), settled)) ?? stored;
    }
    unlessRefused(now.avatar, false);
    return { avatar: now.avatar, version: now.version, queue: null, replayed: false };
  } finally {
    void submitted.finally(release);
  }
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
    startWithinMs,
    callbackUrl,
    callbackTaskBase,
  } = request;
  const audio = inspected.speech.facts;
  return newAvatar(
    {
      // By time, then by chance: what is new stands together in an index, of which a write touches few pages.
      id: `av_${Math.floor(now).toString(16).padStart(12, '0')}${randomUUID().replaceAll('-', '').slice(12)}`,
      caller: caller.name,
      idempotency: key === null ? null : { key, fingerprint: fingerprintOf(request, inspected) },
      mode,
      prompt,
      externalId,
      metadata,
      image: inspected.image.facts,
      audio,
      costEstimateUsd: estimateUsd(prices, mode, audio.durationSeconds),
      spend: { reserved: costOf(prices, mode, audio.durationSeconds), settled: null, billed: null },
      traceparent,
      startBy: startWithinMs === null ? null : now + startWithinMs,
      callbackUrl,
      ...(callbackTaskBase !== undefined && { callbackTaskBase }),
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

/** What the work comes to; `null` where its time is over before that. */
async function within<T>(ms: number, work: Promise<T>): Promise<T | null> {
  if (ms <= 0) return null;
  let timer: NodeJS.Timeout | undefined;
  const grace = new Promise<null>((resolve) => {
    timer = setTimeout(resolve, ms, null);
  });
  try {
    return await Promise.race([work, grace]);
  } finally {
    clearTimeout(timer);
  }
}
