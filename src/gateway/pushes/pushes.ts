import { EVERYONE } from '../../domain/caller.js';
import { pushed } from '../../domain/moves.js';
import { ProblemError } from '../../problems.js';
import { StoreUnavailableError } from '../../store/store.js';
import { write } from '../move.js';
import type { Ports, PushOutcome } from '../ports.js';
import type { PushTokens } from './tokens.js';

/** Pushes have an avatar polled once in so long. */
const GAP_MS = 2_000;
/** Avatars that one process looks for in so long, so that no flood of pushes keeps the store from callers. */
const MOST = 1_000;
/** How often a push is noted over a record that somebody else is writing. */
const ATTEMPTS = 3;
const RETRY_AFTER = { 'retry-after': String(GAP_MS / 1000) };

/** A push of an avatar, not long ago. */
interface Recent {
  /** What came of it. */
  readonly outcome: Promise<PushOutcome>;
  /** There was another since. */
  again: boolean;
}

/**
 * Has avatars polled whose tasks Modellix says are finished. A push is a hint: it says which avatar, by a token that is hard to
 * guess, and nothing else in it is looked at.
 */
export class Pushes {
  readonly #ports: Ports;
  readonly #tokens: PushTokens;
  readonly #wake: (inMs: number) => void;
  readonly #recent = new Map<string, Recent>();

  /** @param wake has the worker look for what is due by then */
  constructor(ports: Ports, tokens: PushTokens, wake: (inMs: number) => void) {
    this.#ports = ports;
    this.#tokens = tokens;
    this.#wake = wake;
  }

  /**
   * Resolves when it is noted that the avatar is to be polled, or need not be.
   * @throws {ProblemError} `not-found` for a token that is none of ours; `not-ready` while the submit is under way and
   * `rate-limited`: Modellix is to push again
   * @throws {StoreUnavailableError} likewise
   */
  async take(token: string): Promise<void> {
    const { counts } = this.#ports;
    const id = await this.#tokens.avatarIdIn(token);
    if (id === null) {
      counts.push('forged');
      throw new ProblemError('not-found', 'There is nothing here.');
    }
    const before = this.#recent.get(id);
    if (before === undefined && this.#recent.size >= MOST) {
      counts.push('too_many');
      throw new ProblemError('rate-limited', 'Too many pushes came at once.', { headers: RETRY_AFTER });
    }
    const recent = before ?? this.#look(id);
    const outcome = await recent.outcome;
    counts.push(before === undefined || outcome === 'early' ? outcome : 'joined');
    if (outcome === 'early') {
      const detail = 'The answer to the submit is not there yet.';
      throw new ProblemError('not-ready', detail, { headers: RETRY_AFTER });
    }
    // The poll that one before brought about may have begun too early for this one.
    if (before === undefined ? outcome === 'joined' : outcome !== 'late') recent.again = true;
  }

  #look(id: string): Recent {
    const recent: Recent = { outcome: this.#haveItPolled(id), again: false };
    this.#recent.set(id, recent);
    setTimeout(() => {
      this.#recent.delete(id);
      if (recent.again && !this.#ports.stopping.aborted) this.#look(id).outcome.catch(() => undefined);
    }, GAP_MS).unref();
    return recent;
  }

  async #haveItPolled(id: string): Promise<PushOutcome> {
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      const found = await this.#ports.store.find(EVERYONE, id);
      if (found === null) return 'late';
      const { avatar, version, now } = found;
      if (avatar.status === 'submitting') return 'early';
      if (avatar.status !== 'pending' && avatar.status !== 'processing') return 'late';
      // It is due already, and stays so until a poll was answered.
      if (avatar.pushedAt !== null) return 'joined';
      const dueInMs = Math.max(0, (avatar.polledAt ?? 0) + GAP_MS - now);
      const move = { avatar: pushed(avatar, now), dueInMs, submission: 'drop', silent: true } as const;
      const { saved } = await write(this.#ports, version, move);
      if (!saved) continue;
      this.#wake(dueInMs);
      return 'polled';
    }
    throw new StoreUnavailableError('the avatar is being written by others');
  }
}
