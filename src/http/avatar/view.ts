import type { AudioFacts, Avatar } from '../../domain/avatar.js';
import { type Amount, settledUnits, spendStateOf, UNITS_A_DOLLAR } from '../../domain/spend.js';
import type { DeliveryLog } from '../../gateway/callbacks/delivery-log.js';
import type { CheckResult } from '../../gateway/intake/check.js';
import { type CapUse, sum, type Usage } from '../../gateway/spend/usage.js';
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
    start_by: time(avatar.startBy),
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
    reserved: usd(reserved.units),
    settled: null,
    basis: 'estimated' as const,
  };
  return { mode, image, audio: audioView(audio), cost, warnings: [...warnings] };
}

function amountsView(days: Usage['days']): UsageView['total'] {
  const settled = days.map((day) => day.settled);
  return {
    reserved: amountView(days.map((day) => day.reserved)),
    settled: {
      ...amountView(settled),
      estimated_usd: usd(sum(settled, 'estimated')),
      billed_usd: usd(sum(settled, 'billed')),
    },
  };
}

function amountView(amounts: readonly Amount[]) {
  return {
    avatars: sum(amounts, 'avatars'),
    seconds: sum(amounts, 'durationMs') / 1000,
    usd: usd(sum(amounts, 'units')),
  };
}

function capView(use: CapUse | null): UsageView['caps']['day'] {
  if (use === null) return null;
  return {
    usd: usd(use.cap),
    used_usd: usd(use.used),
    left_usd: usd(Math.max(0, use.cap - use.used)),
    resets_at: new Date(use.resetsAt).toISOString(),
  };
}

function audioView({ source, format, durationSeconds, bytes }: AudioFacts): AvatarView['audio'] {
  return { source, format, duration_seconds: durationSeconds, bytes };
}

function costView({ status, costEstimateUsd, spend }: Avatar): AvatarView['cost'] {
  const state = spendStateOf({ status, spend });
  return {
    currency: 'USD',
    estimate: costEstimateUsd,
    reserved: spend !== null && state === 'reserved' ? usd(spend.reserved.units) : null,
    settled: spend !== null && state === 'settled' ? usd(settledUnits(spend)) : null,
    basis: spend?.billed == null ? 'estimated' : 'billed',
  };
}

function usd(units: number): number {
  return units / UNITS_A_DOLLAR;
}

function time(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString();
}
