import type { Avatar } from '../../domain/avatar.js';
import {
  type Distribution,
  type Durations,
  distributionOf,
  mixOf,
  newDurations,
  observe,
} from '../../domain/limits/durations.js';
import { afterEnd, NO_PUSHES, type PushArrivals } from '../../domain/limits/pushes.js';
import { netPollMs, nextPollMs, priceOf } from '../../domain/schedule.js';
import type { Outlook, Store } from '../../store/store.js';
import { CasDocument, jsonCodec } from './cas-document.js';

export interface TimingSettings {
  readonly pollMinMs: number;
  readonly pollMaxMs: number;
  /** How long Modellix holds a poll of an unfinished task; 0: it answers at once. */
  readonly longPollMs: number;
  /** The age at which a task is polled at the latest though nothing was pushed; `null`: Modellix is not told where to push. */
  readonly netMs: number | null;
}

/** What tasks that ended have taught. */
interface Learned {
  readonly durations: Durations;
  readonly pushes: PushArrivals;
}

/** A push comes when its task is finished, or so much later. */
const PUSHED_WITHIN_MS = 2_000;

/** When to poll a task: what was learned of how long tasks take, held against the calls that are left. */
export class Timing {
  readonly #shared: CasDocument<Learned>;
  readonly #settings: TimingSettings;
  readonly #random: () => number;
  readonly #load = new Map<string, ReturnType<typeof priceOf>>();

  constructor(store: Store, settings: TimingSettings, random: () => number) {
    this.#shared = new CasDocument<Learned>(store, 'durations-2', jsonCodec(nothingLearned, isLearned));
    this.#settings = settings;
    this.#random = random;
  }

  /** Notes how many tasks of each key are unfinished. @param callsPerMinute what a key may make */
  update({ keys }: Outlook, callsPerMinute: (keyId: string) => number): void {
    const distribution = mixOf(this.#shared.value.durations);
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
    const { pollMinMs: minMs, pollMaxMs: maxMs, longPollMs, netMs } = this.#settings;
    if (netMs !== null && this.pushesArrive)
      return netPollMs(this.#distribution(avatar), ageMs, { minMs, netMs }, this.#random());
    const load = this.#load.get(avatar.keyId ?? '') ?? { priceMs: 0, idle: true };
    return nextPollMs(
      this.#distribution(avatar),
      ageMs,
      { minMs, maxMs, longPollMs, ...load },
      this.#random(),
    );
  }

  /** Whether pushes are seen to arrive, so that polls are no more than the net below them. */
  get pushesArrive(): boolean {
    return this.#shared.value.pushes.arrive;
  }

  /**
   * Learns from a task that was seen finished. @throws {StoreUnavailableError} when it may not be noted
   * @returns whether pushes arrive, where that is news
   */
  async learn(avatar: Avatar, seenAt: number): Promise<boolean | null> {
    const { mode, audio, submittedAt, polledAt, pushedAt } = avatar;
    if (submittedAt === null) return null;
    const kind = { mode, audioSeconds: audio.durationSeconds };
    const unfinishedAt = polledAt ?? submittedAt;
    const [from, to] =
      pushedAt === null
        ? [unfinishedAt, seenAt]
        : [Math.max(unfinishedAt, pushedAt - PUSHED_WITHIN_MS), pushedAt];
    const span = { fromMs: from - submittedAt, toMs: to - submittedAt };
    return this.#shared.change(({ durations, pushes: before }) => {
      const pushes = this.#settings.netMs !== null ? afterEnd(before, pushedAt !== null) : before;
      return {
        value: { durations: observe(durations, kind, span), pushes },
        result: pushes.arrive === before.arrive ? null : pushes.arrive,
      };
    });
  }

  #distribution({ mode, audio }: Avatar): Distribution {
    return distributionOf(this.#shared.value.durations, { mode, audioSeconds: audio.durationSeconds });
  }
}

function nothingLearned(): Learned {
  return { durations: newDurations(), pushes: NO_PUSHES };
}

/** Gateways write it, and nobody else: what is looked for is a form of another release. */
function isLearned(value: unknown): value is Learned {
  const has = (object: unknown, ...names: readonly string[]) =>
    typeof object === 'object' && object !== null && names.every((name) => name in object);
  return has(value, 'durations', 'pushes') && has((value as Learned).durations, 'histograms', 'recent');
}
