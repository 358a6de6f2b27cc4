import type { AudioFacts, Avatar, Cost } from '../../domain/avatar.js';
import { spendStateOf, UNITS_A_DOLLAR } from '../../domain/spend.js';
import type { DeliveryLog } from '../../gateway/callbacks/delivery-log.js';
import type { CheckResult } from '../../gateway/intake/check.js';
import { type CapUse, total, type Usage } from '../../gateway/spend/usage.js';
import type { AvatarSnapshot } from '../../gateway/view.js';
import { PROBLEMS, problemType } from '../../problems.js';
import type { AvatarView, CheckView } from '../schemas/avatar.js';
import type { DeliveriesView } from '../schemas/deliveries.js';
import type { UsageView } from '../schemas/usage.js';

/** The avatar as its caller sees it. @param basePath what every link begins with */
export function avatarView({ avatar, queue }: AvatarSnapshot, basePath: string): AvatarView {
  const self = `${basePath}/avatars/${avatar.id}`;
  const { image, video, failure, callback } = avatar;
  return {
    id: avatar.id,
    caller: avatar.caller,
    status: avatar.status,
    mode: avatar.mode,
    prompt: avatar.prompt,
    external_id: avatar.externalId,
    metadata: avatar.metadata,
    image,
    audio: audioView(avatar.audio),
    video: video && {
      url: `${self}/video`,
      format: video.format,
      width: video.width,
      height: video.height,
      bytes: video.bytes,
      kept: video.keptBytes !== null,
      expires_at: time(video.keptBytes === null ? video.expiresAt : avatar.expiresAt),
    },
    error: failure && {
      type: problemType(failure.type),
      title: PROBLEMS[failure.type].title,
      detail: failure.detail,
      upstream_status: failure.upstreamStatus,
    },
    queue: queue && { position: queue.position, estimated_start_at: time(queue.estimatedStartAt) },
    cost: costView(avatar),
    callback: callback && { url: callback.url, state: callback.state },
    task_id: avatar.taskId,
    created_at: new Date(avatar.createdAt).toISOString(),
    submitted_at: time(avatar.submittedAt),
    completed_at: time(avatar.completedAt),
    expires_at: time(avatar.expiresAt),
    links: { self, events: `${self}/events`, video: `${self}/video` },
  };
}

/** How telling the receiver went, as its caller sees it. */
export function deliveriesView(log: DeliveryLog): DeliveriesView {
  return {
    url: log.url,
    state: log.state,
    webhook_id: log.webhookId,
    next_attempt_at: time(log.nextAttemptAt),
    data: log.deliveries.map(({ at, latencyMs, ...delivery }) => ({
      ...delivery,
      at: new Date(at).toISOString(),
      latency_ms: latencyMs,
    })),
  };
}

/** What was spent, as a caller sees it. */
export function usageView({ from, to, days, caps }: Usage): UsageView {
  return {
    from,
    to,
    currency: 'USD',
    data: days.map((day) => ({ ...day, ...amountsView([day]) })),
    total: amountsView(days),
    caps: { day: capView(caps.day), month: capView(caps.month) },
  };
}

/** Media that can be used, as their caller sees them. */
export function checkView({
  mode,
  image,
  audio,
  costEstimateUsd,
  reserved,
  warnings,
}: CheckResult): CheckView {
  const cost = {
    currency: 'USD' as const,
    estimate: costEstimateUsd,
    reserved: usd(reserved),
    settled: null,
  };
  return { mode, image, audio: audioView(audio), cost, warnings: [...warnings] };
}

function amountsView(days: Usage['days']): UsageView['total'] {
  const sum = (of: 'reserved' | 'settled') => {
    const { avatars, durationMs, units } = total(days.map((day) => day[of]));
    return { avatars, seconds: durationMs / 1000, usd: units / UNITS_A_DOLLAR };
  };
  return { reserved: sum('reserved'), settled: sum('settled') };
}

function capView(use: CapUse | null): UsageView['caps']['day'] {
  if (use === null) return null;
  return {
    usd: use.cap / UNITS_A_DOLLAR,
    used_usd: use.used / UNITS_A_DOLLAR,
    left_usd: Math.max(0, use.cap - use.used) / UNITS_A_DOLLAR,
    resets_at: new Date(use.resetsAt).toISOString(),
  };
}

function audioView({ source, format, durationSeconds, bytes }: AudioFacts): AvatarView['audio'] {
  return { source, format, duration_seconds: durationSeconds, bytes };
}

function costView({ status, costEstimateUsd, spend }: Avatar): AvatarView['cost'] {
  const state = spendStateOf(status);
  return {
    currency: 'USD',
    estimate: costEstimateUsd,
    reserved: state === 'reserved' ? usd(spend?.reserved) : null,
    settled: state === 'settled' ? usd(spend?.settled ?? spend?.reserved) : null,
  };
}

function usd(cost: Cost | undefined): number | null {
  return cost === undefined ? null : cost.units / UNITS_A_DOLLAR;
}

function time(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString();
}
