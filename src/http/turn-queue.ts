/** Of what goes first, begun with in one turn of the event loop. */
const FIRST_A_TURN = 2;
/** So many connections may come, one a turn, before one of the crowd is served in between. */
const MAX_ARRIVALS = 256;
/** Between two of the crowd, as long as anything goes first: a crowd takes a part of the processor then, not all there is. */
const CROWD_EVERY_MS = 1;
/** What the crowd was kept waiting longer than that is made up for, as far as this: timers are late by a millisecond or two. */
const MAX_BEHIND_MS = 4;
/** For so long after the last that went first more of it is expected. */
const MORE_WITHIN_MS = 100;

/** What there is to be done for one of the crowd. */
interface Work {
  /** Of its connection, as they came. */
  readonly place: number;
  readonly begin: () => void;
}

/**
 * Begins with work a little a turn of the event loop, which takes a new connection from the system in each. First comes what has to
 * go first, in order. The crowd waits until no more connections come, so that whoever is among them is found soon;
 * then the last of it is begun with, as in a last-in-first-out queue (Maurer, "Fail at Scale", ACM Queue 13/8), and the first of it by
 * turns, so that all of it gets on.
 */
export class TurnQueue {
  readonly #first: (() => void)[] = [];
  /** By place. */
  readonly #crowd: Work[] = [];
  #takesNewest = false;
  #isDue = false;
  #hasArrived = false;
  #arrivals = 0;
  /** When something went first last, and when the crowd may go on, in ms. */
  #lastFirstAt = Number.NEGATIVE_INFINITY;
  #crowdDueAt = 0;
  #pause: NodeJS.Timeout | undefined;

  /** Says that a connection came. */
  noteArrival(): void {
    this.#hasArrived = true;
  }

  putFirst(begin: () => void): void {
    this.#first.push(begin);
    this.#due();
  }

  /** @param place of the connection that it is for: they are counted as they come */
  putInCrowd(place: number, begin: () => void): void {
    const before = this.#crowd.findLastIndex((work) => work.place <= place);
    this.#crowd.splice(before + 1, 0, { place, begin });
    this.#due();
  }

  #due(): void {
    if (!this.#isDue) setImmediate(this.#turn);
    this.#isDue = true;
  }

  #dueAfterPause(): void {
    this.#pause ??= setTimeout(() => {
      this.#pause = undefined;
      this.#due();
    }, CROWD_EVERY_MS);
  }

  readonly #turn = (): void => {
    const now = performance.now();
    if (this.#first.length > 0) this.#lastFirstAt = now;
    for (const begin of this.#first.splice(0, FIRST_A_TURN)) begin();
    this.#arrivals = this.#hasArrived ? this.#arrivals + 1 : MAX_ARRIVALS;
    this.#hasArrived = false;
    if (this.#arrivals >= MAX_ARRIVALS && now >= this.#crowdDueAt) this.#beginOneOfCrowd(now);
    this.#isDue = false;
    if (this.#first.length > 0) this.#due();
    else if (this.#crowd.length > 0) {
      if (now < this.#crowdDueAt) this.#dueAfterPause();
      else this.#due();
    }
  };

  #beginOneOfCrowd(now: number): void {
    this.#arrivals = 0;
    const isPaced = now < this.#lastFirstAt + MORE_WITHIN_MS;
    this.#crowdDueAt = isPaced ? Math.max(this.#crowdDueAt, now - MAX_BEHIND_MS) + CROWD_EVERY_MS : now;
    this.#takesNewest = !this.#takesNewest;
    (this.#takesNewest ? this.#crowd.pop() : this.#crowd.shift())?.begin();
  }
}
