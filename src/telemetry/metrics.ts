import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import type { UpstreamState } from '../gateway/limits/upstream.js';
import type { Counts } from '../gateway/ports.js';
import type { StoreHealth } from '../store/store.js';

export interface Metrics {
  readonly counts: Counts;
  /** Those of callers. */
  readonly connections: { opened(): void; closed(): void; dropped(): void };
  /** In the Prometheus text format, and its content type. */
  render(): Promise<{ readonly type: string; readonly text: string }>;
}

export interface MetricsSources {
  health(): StoreHealth;
  /** `null` while it cannot be known. */
  upstream(): Promise<UpstreamState | null>;
  /** What is spoken for. */
  mediaBytes(): number;
  /** Of kept videos. */
  videoBytes(): number;
}

/**
 * The counters of one process, and the state that all replicas share. Labels hold words of ours only: no avatar, no
 * caller, nothing that was sent; a key goes by its digest.
 */
export function createMetrics({ health, upstream, mediaBytes, videoBytes }: MetricsSources): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  const submits = new Counter({
    name: 'avatar_gateway_submits_total',
    help: 'Submits by what they came to.',
    labelNames: ['outcome'],
    registers,
  });
  const ended = new Counter({
    name: 'avatar_gateway_avatars_ended_total',
    help: 'Avatars that came to an end, by status; unconfirmed ones want an operator.',
    labelNames: ['status'],
    registers,
  });
  const unfamiliar = new Counter({
    name: 'avatar_gateway_unfamiliar_statuses_total',
    help: 'Answers of Modellix with a status word that is not known.',
    registers,
  });
  const pushes = new Counter({
    name: 'avatar_gateway_pushes_total',
    help: 'Pushes of Modellix by what came of them: polled (its avatar is polled for it), joined (there was one just before), early (before the answer to the submit), late (nothing to poll), forged (no token of ours), too_many.',
    labelNames: ['outcome'],
    registers,
  });
  const callerLimits = new Counter({
    name: 'avatar_gateway_caller_limits_total',
    help: 'Avatars refused because their caller was at a limit of its own: unfinished avatars, or what it may spend in a day or a month.',
    labelNames: ['limit'],
    registers,
  });
  const spendWarnings = new Counter({
    name: 'avatar_gateway_spend_warnings_total',
    help: 'Times a caller had spent 80 % of what it may, in a day or a month; the log says which.',
    labelNames: ['period'],
    registers,
  });
  const pricesMoved = new Counter({
    name: 'avatar_gateway_prices_moved_total',
    help: 'Hours in which Modellix billed an avatar at more than 5 % above or below the price that is set for its mode.',
    labelNames: ['mode'],
    registers,
  });
  const deliveries = new Counter({
    name: 'avatar_gateway_deliveries_total',
    help: 'Tries to tell receivers, by what they came to: delivered, failed (tried again) or given_up.',
    labelNames: ['outcome'],
    registers,
  });
  const keepings = new Counter({
    name: 'avatar_gateway_videos_total',
    help: 'Videos that were to be kept, by what came of it: kept, or why not.',
    labelNames: ['outcome'],
    registers,
  });
  const connections = new Gauge({
    name: 'avatar_gateway_connections',
    help: 'Connections of callers that are open; MAX_CONNECTIONS bounds it.',
    registers,
  });
  const dropped = new Counter({
    name: 'avatar_gateway_connections_dropped_total',
    help: 'Connections that were closed at once, since there were as many as there may be.',
    registers,
  });
  new Gauge({
    name: 'avatar_gateway_corrupt_records',
    help: 'Records quarantined since the start because they could not be read.',
    registers,
    collect() {
      this.set(health().corruptRecords);
    },
  });
  new Gauge({
    name: 'avatar_gateway_media_bytes',
    help: 'Memory that media under way have taken; MEDIA_MEMORY_MEGABYTES bounds it.',
    registers,
    collect() {
      this.set(mediaBytes());
    },
  });
  new Gauge({
    name: 'avatar_gateway_kept_video_bytes',
    help: 'What kept videos have together, as of ten minutes ago at most; KEEP_VIDEOS_MAX_GIGABYTES bounds it.',
    registers,
    collect() {
      this.set(videoBytes());
    },
  });
  const queued = new Gauge({
    name: 'avatar_gateway_queue_avatars',
    help: 'Avatars that wait to be submitted.',
    registers,
  });
  const queuedBytes = new Gauge({
    name: 'avatar_gateway_queue_bytes',
    help: 'Media that waits with them.',
    registers,
  });
  const open = new Gauge({
    name: 'avatar_gateway_breaker_open',
    help: '1 while calls are held back because Modellix failed again and again.',
    registers,
  });
  const keyGauge = (name: string, help: string) =>
    new Gauge({ name: `avatar_gateway_key_${name}`, help, labelNames: ['key'], registers });
  const unfinished = keyGauge('unfinished_tasks', 'Tasks that hold a slot of the key.');
  const tasks = keyGauge('tasks_limit', 'Unfinished tasks that the key may have, as far as is known.');
  const calls = keyGauge('calls_per_minute_limit', 'Calls that the key may make, as far as is known.');
  const resting = keyGauge('resting', '1 while the key rests because Modellix does not accept it.');
  const noteUpstream = (state: UpstreamState) => {
    queued.set(state.queued);
    queuedBytes.set(state.queuedBytes);
    open.set(state.breaker === 'open' ? 1 : 0);
    for (const gauge of [unfinished, tasks, calls, resting]) gauge.reset();
    for (const key of state.keys) {
      unfinished.set({ key: key.id }, key.unfinished);
      tasks.set({ key: key.id }, key.tasks);
      calls.set({ key: key.id }, key.callsPerMinute);
      resting.set({ key: key.id }, key.state === 'resting' ? 1 : 0);
    }
  };
  return {
    counts: {
      submit: (outcome) => submits.inc({ outcome }),
      ended: (status) => ended.inc({ status }),
      delivery: (outcome) => deliveries.inc({ outcome }),
      keeping: (outcome) => keepings.inc({ outcome: outcome.replace('-', '_') }),
      unfamiliarStatus: () => unfamiliar.inc(),
      push: (outcome) => pushes.inc({ outcome }),
      callerLimit: (limit) => callerLimits.inc({ limit }),
      spendWarning: (period) => spendWarnings.inc({ period }),
      priceMoved: (mode) => pricesMoved.inc({ mode }),
    },
    connections: {
      opened: () => connections.inc(),
      closed: () => connections.dec(),
      dropped: () => dropped.inc(),
    },
    async render() {
      const state = await upstream();
      if (state !== null) noteUpstream(state);
      return { type: registry.contentType, text: await registry.metrics() };
    },
  };
}
