/**
 * Whose turn it is among those who are told, so that one receiver that does not answer holds up no other; and likewise
 * among the hosts that videos are fetched from.
 */

/** How many there may be at a time: under way to one receiver and to all of them, and in memory for a turn. */
export interface Room {
  readonly each: number;
  readonly all: number;
  readonly waitingEach: number;
  readonly waiting: number;
}

const OF_RECEIVERS: Room = { each: 8, all: 128, waitingEach: 32, waiting: 256 };
/** A video is long, and the disk is one. */
export const OF_HOSTS: Room = { each: 4, all: 4, waitingEach: 32, waiting: 32 };
/** How long somebody waits in memory for a turn. A lease has to outlive it. */
export const TURN_MS = 10_000;
/** So many failures in a row, and a receiver is left alone: longer each time it is found away again. */
const TOLERATED = 5;
const REST_MS = 5_000;
const LONGEST_REST_MS = 300_000;
/** What waits for a receiver to be back does not come all at once when it may be. */
const SPREAD = 0.25;
/** How long a try takes, until it is known. */
const TRY_MS = 500;
/** How much of what was known of that goes for each that is learned. */
const LEARNED = 0.2;
const SOONEST_MS = 250;
/** OriginGate that are remembered. */
const MOST_KNOWN = 2_000;

/** One that is told. Times are `performance.now()`. */
interface Receiver {
  underWay: number;
  waiting: number;
  /** In a row. */
  failures: number;
  /** How often it was found away, in a row. */
  rests: number;
  restsUntil: number;
  probing: boolean;
  tryMs: number;
  /** When the last of those that were sent away for a while comes back. */
  lastComes: number;
}

/** Leave to try. `done` is called once; `null`: the try said nothing of the receiver. */
export interface Turn {
  done(alive: boolean | null): void;
}

/** A turn; or for how many ms to put it off; `null` when the process stops. */
export type Grant = Turn | { readonly putOffMs: number } | null;

interface Waiting {
  readonly receiver: Receiver;
  readonly settle: (grant: Grant) => void;
}

/** A receiver is an origin. What is known of it is this process's own, and forgotten with it. */
export class OriginGate {
  readonly #random: () => number;
  readonly #stopping: AbortSignal;
  readonly #room: Room;
  readonly #known = new Map<string, Receiver>();
  readonly #waiting = new Set<Waiting>();
  #underWay = 0;

  /** @param random in [0, 1) */
  constructor(random: () => number, stopping: AbortSignal, room: Room = OF_RECEIVERS) {
    this.#random = random;
    this.#stopping = stopping;
    this.#room = room;
    stopping.addEventListener('abort', () => this.#sendAway(() => true), { once: true });
  }

  /** Resolves within {@link TURN_MS}. */
  turn(origin: string): Promise<Grant> | Grant {
    if (this.#stopping.aborted) return null;
    const receiver = this.#receiver(origin);
    const restMs = this.#restMs(receiver);
    if (restMs !== null) return { putOffMs: restMs };
    if (this.#hasRoom(receiver)) return this.#take(receiver);
    const { waitingEach, waiting } = this.#room;
    if (receiver.waiting >= waitingEach || this.#waiting.size >= waiting) return this.#putOff(receiver);
    return this.#wait(receiver);
  }

  #wait(receiver: Receiver): Promise<Grant> {
    return new Promise((resolve) => {
      const waiting: Waiting = {
        receiver,
        settle: (grant) => {
          clearTimeout(timer);
          this.#waiting.delete(waiting);
          receiver.waiting -= 1;
          resolve(grant);
        },
      };
      const timer = setTimeout(() => waiting.settle(this.#putOff(receiver)), TURN_MS);
      receiver.waiting += 1;
      this.#waiting.add(waiting);
    });
  }

  #hasRoom({ underWay }: Receiver): boolean {
    return underWay < this.#room.each && this.#underWay < this.#room.all;
  }

  #take(receiver: Receiver): Turn {
    const isProbe = receiver.failures >= TOLERATED;
    const startedAt = performance.now();
    receiver.probing ||= isProbe;
    receiver.underWay += 1;
    this.#underWay += 1;
    return {
      done: (alive) => {
        receiver.underWay -= 1;
        this.#underWay -= 1;
        if (isProbe) receiver.probing = false;
        if (alive !== null) {
          receiver.tryMs += LEARNED * (performance.now() - startedAt - receiver.tryMs);
          this.#note(receiver, alive, isProbe);
        }
        this.#next();
      },
    };
  }

  #note(receiver: Receiver, alive: boolean, isProbe: boolean): void {
    if (alive) {
      Object.assign(receiver, { failures: 0, rests: 0, restsUntil: 0 });
      return;
    }
    // What began before the rest, and fails within it, says nothing new.
    if (receiver.failures >= TOLERATED && !isProbe) return;
    receiver.failures += 1;
    if (receiver.failures < TOLERATED) return;
    const longest = Math.min(LONGEST_REST_MS, REST_MS * 2 ** receiver.rests);
    receiver.rests += 1;
    receiver.restsUntil = performance.now() + longest * (1 - SPREAD * this.#random());
    this.#sendAway((each) => each === receiver);
  }

  /** How long a receiver is left alone; `null` where it may be tried. */
  #restMs({ failures, restsUntil, probing }: Receiver): number | null {
    if (failures < TOLERATED) return null;
    const now = performance.now();
    if (restsUntil <= now && !probing) return null;
    const leftMs = Math.max(restsUntil - now, REST_MS);
    return Math.round(leftMs * (1 + SPREAD * this.#random()));
  }

  /** Behind all that wait and all that were put off before, by how long a try takes. */
  #putOff(receiver: Receiver): { readonly putOffMs: number } {
    const now = performance.now();
    const perTryMs = receiver.tryMs / this.#room.each;
    const soonest = now + Math.max(SOONEST_MS, receiver.waiting * perTryMs);
    receiver.lastComes = Math.min(Math.max(receiver.lastComes, soonest) + perTryMs, now + LONGEST_REST_MS);
    return { putOffMs: Math.round(receiver.lastComes - now) };
  }

  /** Turns for those that wait, in the order in which they came. */
  #next(): void {
    for (const { receiver, settle } of this.#waiting) {
      if (this.#underWay >= this.#room.all) return;
      if (!this.#hasRoom(receiver)) continue;
      const restMs = this.#restMs(receiver);
      settle(restMs === null ? this.#take(receiver) : { putOffMs: restMs });
    }
  }

  #sendAway(which: (receiver: Receiver) => boolean): void {
    for (const { receiver, settle } of this.#waiting) {
      if (!which(receiver)) continue;
      settle(this.#stopping.aborted ? null : { putOffMs: this.#restMs(receiver) ?? SOONEST_MS });
    }
  }

  #receiver(origin: string): Receiver {
    const known = this.#known.get(origin);
    // The order is that of last use.
    if (known !== undefined) this.#known.delete(origin);
    const receiver = known ?? {
      underWay: 0,
      waiting: 0,
      failures: 0,
      rests: 0,
      restsUntil: 0,
      probing: false,
      tryMs: TRY_MS,
      lastComes: 0,
    };
    this.#known.set(origin, receiver);
    for (const [name, { underWay, waiting }] of this.#known) {
      if (this.#known.size <= MOST_KNOWN) break;
      if (underWay === 0 && waiting === 0) this.#known.delete(name);
    }
    return receiver;
  }
}
