/** Avatars as callers make them, queued and finished, for a store that is filled with them. */

import { randomBytes, randomUUID } from 'node:crypto';
import type { Avatar } from '../src/domain/avatar.js';
import { accepted, beginSubmit, newAvatar, polled, succeeded } from '../src/domain/moves.js';
import type { Save, Store } from '../src/store/store.js';

export const KEY_ID = '0123456789ab';
export const HOUR_MS = 3_600_000;
/** What a submission holds besides media. */
export const SUBMISSION = Buffer.from('{"image":"","sound_file":"","prompt":"","mode":"std"}');
const RETENTION_MS = 7 * 24 * HOUR_MS;
const ADMISSION = { dueInMs: 24 * HOUR_MS, doubtMs: 15_000, bounds: { maxAvatars: 1e9, maxBytes: 1e12 } };
const CALLERS = 100;
const PROMPT =
  'She smiles, looks into the camera, and speaks calmly and with warmth; the camera slowly moves closer to her.';

function callerOf(n: number): string {
  return `team-${n % CALLERS}`;
}

/** With everything that a caller may say of it. */
export function queuedAvatar(n: number): Avatar {
  return newAvatar(
    {
      id: `av_${randomBytes(16).toString('hex')}`,
      caller: callerOf(n),
      idempotency: { key: randomUUID(), fingerprint: randomBytes(32).toString('base64url') },
      mode: 'std',
      prompt: PROMPT,
      externalId: `order-${n}`,
      metadata: { campaign: 'spring' },
      image: { source: 'inline', format: 'jpeg', width: 720, height: 960, bytes: 48_211 },
      audio: { source: 'inline', format: 'mp3', durationSeconds: 7.2, bytes: 57_600 },
      costEstimateUsd: 0.3226,
      spend: null,
      traceparent: `00-${randomBytes(16).toString('hex')}-${randomBytes(8).toString('hex')}-01`,
      startBy: null,
      callbackUrl: null,
    },
    Date.now(),
  );
}

/** The same at Modellix. */
export function pendingAvatar(avatar: Avatar): Avatar {
  const taskId = `task-${randomBytes(9).toString('hex')}`;
  return accepted(beginSubmit(avatar, KEY_ID, 'intent-1'), taskId, Date.now());
}

/** The same at its end, with the signed URL of an object store. */
function finishedAvatar(pending: Avatar): Avatar {
  const signature = `Expires=1790000000&Key-Pair-Id=${randomBytes(7).toString('hex').toUpperCase()}&Signature=${randomBytes(64).toString('base64url')}`;
  const url = `https://cdn.modellix.example/results/2026/11/${pending.taskId}/output.mp4?${signature}`;
  const now = Date.now();
  const video = {
    url,
    format: 'mp4',
    width: 720,
    height: 960,
    bytes: 2_412_345,
    expiresAt: now,
    keptBytes: null,
  };
  return succeeded(polled(pending, 'processing', now), video, { now, retentionMs: RETENTION_MS }, false);
}

export function create(store: Store, avatar: Avatar) {
  return store.admit(avatar, [SUBMISSION], ADMISSION);
}

export const KEPT: Save = { dueInMs: HOUR_MS, submission: 'keep' };
const ENDED: Save = { dueInMs: RETENTION_MS, submission: 'drop' };

/** Creates an avatar and saves its end. What is saved in between leaves nothing behind. */
export async function putFinished(store: Store, n: number, dueInMs = RETENTION_MS): Promise<Avatar> {
  const { avatar, version } = await create(store, queuedAvatar(n));
  const finished = finishedAvatar(pendingAvatar(avatar));
  await saved(store, finished, version, { ...ENDED, dueInMs });
  return finished;
}

/** Every step that a gateway writes, but for further polls. */
export async function putFinishedStepByStep(store: Store, n: number): Promise<Avatar> {
  const { avatar, version } = await create(store, queuedAvatar(n));
  const submitting = beginSubmit(avatar, KEY_ID, 'intent-1');
  const submitted = await saved(store, submitting, version, KEPT);
  const pending = accepted(submitting, `task-${randomBytes(9).toString('hex')}`, Date.now());
  const polledAt = await saved(store, pending, submitted, { dueInMs: HOUR_MS, submission: 'drop' });
  const finished = finishedAvatar(pending);
  await saved(store, finished, polledAt, ENDED);
  return finished;
}

/** @returns the version that it has now */
export async function saved(store: Store, avatar: Avatar, version: number, save: Save): Promise<number> {
  const result = await store.save(avatar, version, save);
  if (!result.saved) throw new Error(`${avatar.id} was not saved: ${result.reason}`);
  return result.version;
}
