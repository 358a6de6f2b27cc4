import type { Avatar } from '../../domain/avatar.js';
import {
  type Distribution,
  type Durations,
  distributionOf,
  mixOf,
  newDurations,
  observe,
} from '../../domain/limits/durations.js';
import { nextPollMs, priceOf } from '../../domain/schedule.js';
import type { Outlook, Store } from '../../store/store.js';
import { CasDocument, jsonCodec } from './cas-document.js';

export interface TimingSettings {
  readonly pollMinMs: number;
  readonly pollMaxMs: number;
  /** How long Modellix holds a poll of an unfinished task; 0: it answers at once. */
  readonly longPollMs: number;
}

/** When to poll a task: what was learned of how long tasks take, held against the calls that are left. */
export class Timing {
  readonly #shared: CasDocument<Durations>;
  readonly #settings: TimingSettings;
  readonly #random: () => number;
  readonly #load = new Map<string, ReturnType<typeof priceOf>>();

  constructor(store: Store, settings: TimingSettings, random: () => number) {
    this.#shared = new CasDocument<Durations>(store, 'durations-1', jsonCodec(newDurations, isDurations));
    this.#settings = settings;
    this.#random = random;
  }

  /** Notes how many tasks of each key are unfinished. @param callsPerMinute what a key may make */
  update({ keys }: Outlook, callsPerMinute: (keyId: string) => number): void {
    const distribution = mixOf(this.#shared.value);
    for (const [keyId, { slots }] of keys) {
      const { pollMaxMs: maxMs } = this.#settings;
      const calls = callsPerMinute(keyId);
      // One at least: the task that is submitted next is priced before it is counted.
      const unfinished = Math.max(1, slots);
      this.#load.set(keyId, priceOf({ unfinished, distribution, callsPerMinute: calls, maxMs }));
    }
  }

  /** Reads what other replicas learned, where that was long ago. @throws {StoreUnavailableError} */
  async refresh(): Promise<void> {
    await this.#shared.refresh();
  }

  /** Milliseconds to the next poll of a task that was submitted `ageMs` ago. */
  nextPollMs(avatar: Avatar, ageMs: number): number {
    const { pollMinMs: minMs, pollMaxMs: maxMs, longPollMs } = this.#settings;
    const load = this.#load.get(avatar.keyId ?? '') ?? { priceMs: 0, idle: true };
    return nextPollMs(
      this.#distribution(avatar),
      ageMs,
      { minMs, maxMs, longPollMs, ...load },
      this.#random(),
    );
  }

  /** Learns from a task that was seen finished. @throws {StoreUnavailableError} when it may not be noted */
  async learn(avatar: Avatar, seenAt: number): Promise<void> {
    const { mode, audio, submittedAt, polledAt } = avatar;
    if (submittedAt === null) return;
    const span = { fromMs: (polledAt ?? submittedAt) - submittedAt, toMs: seenAt - submittedAt };
    await this.#shared.change((durations) => ({
      value: observe(durations, { mode, audioSeconds: audio.durationSeconds }, span),
      result: undefined,
    }));
  }

  #distribution({ mode, audio }: Avatar): Distribution {
    return distributionOf(this.#shared.value, { mode, audioSeconds: audio.durationSeconds });
  }
}

/** Gateways write it, and nobody else: what is looked for is a form of another release. */
function isDurations(value: unknown): value is Durations {
  return typeof value === 'object' && value !== null && 'histograms' in value && 'recent' in value;
}
