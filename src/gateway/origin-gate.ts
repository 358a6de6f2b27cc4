/** How many tries there may be under way at a time, to one origin and to all of them. */
export interface Room {
  readonly each: number;
  readonly all: number;
}

export const RECEIVER_ROOM: Room = { each: 8, all: 128 };
/** A video is long, and the disk is one. */
export const VIDEO_ROOM: Room = { each: 4, all: 4 };
/** So many failures in a row, and an origin is left alone: longer each time it is found away again. */
const TOLERATED = 5;
const REST_MS = 5_000;
const LONGEST_REST_MS = 300_000;
/** What was put off does not come back all at once. */
const SPREAD = 0.25;
/** How long a try takes until it is known, and how much of what was known goes for each that is learned. */
const TRY_MS = 100;
const LEARNED = 0.2;
const SOONEST_MS = 250;
/** Origins that are remembered. */
const MOST_KNOWN = 2_000;

/** Times are `performance.now()`. */
interface Origin {
  underWay: number;
  /** In a row. */
  failures: number;
  /** How often it was found away, in a row. */
  rests: number;
  restsUntil: number;
  probing: boolean;
  tryMs: number;
  /** When the last of those that were put off comes back. */
  lastComes: number;
}

/** Leave to try. `release` is called once; `null`: the try said nothing of the origin. */
export interface Lease {
  release(alive: boolean | null): void;
}

/** Leave to try; or for how many ms to put it off. */
export type Grant = Lease | { readonly putOffMs: number };

/**
 * Bounds the requests under way to each origin, and to all, so that one that does not answer holds up no other. An origin that
 * failed several times in a row rests, and is then tried by one request. What is known of origins is this process's own.
 */
export class OriginGate {
  readonly #random: () => number;
  readonly #stopping: AbortSignal;
  readonly #room: Room;
  readonly #known = new Map<string, Origin>();
  #underWay = 0;

  /** @param random in [0, 1) */
  constructor(random: () => number, stopping: AbortSignal, room: Room) {
    this.#random = random;
    this.#stopping = stopping;
    this.#room = room;
  }

  acquire(name: string): Grant {
    if (this.#stopping.aborted) return { putOffMs: 0 };
    const origin = this.#origin(name);
    const restMs = this.#restMs(origin);
    if (restMs !== null) return { putOffMs: restMs };
    const hasRoom = origin.underWay < this.#room.each && this.#underWay < this.#room.all;
    return hasRoom ? this.#take(origin) : { putOffMs: this.#behindOthersMs(origin) };
  }

  #take(origin: Origin): Lease {
    const isProbe = origin.failures >= TOLERATED;
    const startedAt = performance.now();
    origin.probing ||= isProbe;
    origin.underWay += 1;
    this.#underWay += 1;
    return {
      release: (alive) => {
        origin.underWay -= 1;
        this.#underWay -= 1;
        if (isProbe) origin.probing = false;
        if (alive === null) return;
        origin.tryMs += LEARNED * (performance.now() - startedAt - origin.tryMs);
        this.#note(origin, alive, isProbe);
      },
    };
  }

  #note(origin: Origin, alive: boolean, isProbe: boolean): void {
    if (alive) {
      Object.assign(origin, { failures: 0, rests: 0, restsUntil: 0 });
      return;
    }
    // What began before the rest, and fails within it, says nothing new.
    if (origin.failures >= TOLERATED && !isProbe) return;
    origin.failures += 1;
    if (origin.failures < TOLERATED) return;
    const longest = Math.min(LONGEST_REST_MS, REST_MS * 2 ** origin.rests);
    origin.rests += 1;
    origin.restsUntil = performance.now() + longest * (1 - SPREAD * this.#random());
  }

  /** How long an origin is left alone; `null` where it may be tried. */
  #restMs({ failures, restsUntil, probing }: Origin): number | null {
    if (failures < TOLERATED) return null;
    const now = performance.now();
    if (restsUntil <= now && !probing) return null;
    const leftMs = Math.max(restsUntil - now, REST_MS);
    return Math.round(leftMs * (1 + SPREAD * this.#random()));
  }

  /** Behind all that were put off before, by how long a try takes. */
  #behindOthersMs(origin: Origin): number {
    const now = performance.now();
    const comes = Math.max(origin.lastComes, now + SOONEST_MS) + origin.tryMs / this.#room.each;
    origin.lastComes = Math.min(comes, now + LONGEST_REST_MS);
    return Math.round(origin.lastComes - now);
  }

  #origin(name: string): Origin {
    const known = this.#known.get(name);
    // The order is that of last use.
    if (known !== undefined) this.#known.delete(name);
    const origin = known ?? {
      underWay: 0,
      failures: 0,
      rests: 0,
      restsUntil: 0,
      probing: false,
      tryMs: TRY_MS,
      lastComes: 0,
    };
    this.#known.set(name, origin);
    for (const [other, { underWay }] of this.#known) {
      if (this.#known.size <= MOST_KNOWN) break;
      if (underWay === 0) this.#known.delete(other);
    }
    return origin;
  }
}
