import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { CallerDirectory } from '../../domain/caller.js';
import { FairPool } from '../../gateway/intake/fair-pool.js';
import type { Wait } from '../../gateway/watch/until.js';
import { callerOf, holderOf } from '../access/caller.js';
import { onEnd } from '../end.js';
import { unauthenticated } from '../plugins/authenticate.js';

/** How often keys are asked for again. */
const SWEEP_MS = 1_000;
/** How often a request is reminded to say something, spread over the sweeps. */
const SWEEPS_A_BEAT = 15;

/** Requests that are held open: event streams and waits. Each takes a place of its caller's share, and ends with its key. */
export class HeldRequests {
  readonly #places: FairPool;
  readonly #callers: CallerDirectory | null;
  readonly #held = new Set<HeldRequest>();
  #count = 0;
  #sweeps = 0;

  constructor(app: FastifyInstance, max: number, callers: CallerDirectory | null) {
    this.#places = new FairPool({ max });
    this.#callers = callers;
    const timer = setInterval(() => this.#sweep(), SWEEP_MS).unref();
    app.addHook('onClose', async () => clearInterval(timer));
  }

  /** Holds a request until it was answered or its caller hung up; `null` where its caller has no place left. */
  hold(request: FastifyRequest, reply: FastifyReply): HeldRequest | null {
    const place = this.#places.tryAcquire(holderOf(request), 1);
    if (place === null) return null;
    const caller = callerOf(request);
    const hasKey = () => this.#callers?.isCurrent(caller) !== false;
    const held = new HeldRequest(hasKey, this.#count++ % SWEEPS_A_BEAT);
    this.#held.add(held);
    onEnd(request, reply, () => {
      place.release();
      this.#held.delete(held);
      held.end();
    });
    return held;
  }

  #sweep(): void {
    this.#sweeps = (this.#sweeps + 1) % SWEEPS_A_BEAT;
    for (const held of this.#held) {
      if (!held.hasKey()) held.end();
      else if (held.beatAt === this.#sweeps) held.beat();
    }
  }
}

export class HeldRequest {
  readonly hasKey: () => boolean;
  readonly beatAt: number;
  /** Called every 15 seconds. */
  beat = (): void => undefined;
  readonly #onEnd: (() => void)[] = [];
  #isOver = false;

  constructor(hasKey: () => boolean, beatAt: number) {
    this.hasKey = hasKey;
    this.beatAt = beatAt;
  }

  /** Calls back once: when it was answered, when its caller hung up or has lost its key; at once where that was before. */
  onEnd(ended: () => void): void {
    if (this.#isOver) ended();
    else this.#onEnd.push(ended);
  }

  end(): void {
    this.#isOver = true;
    for (const ended of this.#onEnd.splice(0)) ended();
  }

  /** A wait that ends with it. */
  within(withinMs: number): Wait {
    return { withinMs, leaving: (leave) => this.onEnd(leave) };
  }

  /** @throws {ProblemError} `unauthorized` once its key is lost */
  requireKey(): void {
    if (this.hasKey()) return;
    throw unauthenticated('The key was removed, expired, or has other rights now.', true).refusal;
  }
}
