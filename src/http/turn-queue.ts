/** Of what goes first, begun with in one turn of the event loop. */
const FIRST_A_TURN = 2;
/** So many connections may come, one a turn, before one of the crowd is served in between. */
const MAX_ARRIVALS = 256;

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

  readonly #turn = (): void => {
    for (const begin of this.#first.splice(0, FIRST_A_TURN)) begin();
    this.#arrivals = this.#hasArrived ? this.#arrivals + 1 : MAX_ARRIVALS;
    this.#hasArrived = false;
    if (this.#arrivals >= MAX_ARRIVALS) {
      this.#arrivals = 0;
      this.#takesNewest = !this.#takesNewest;
      (this.#takesNewest ? this.#crowd.pop() : this.#crowd.shift())?.begin();
    }
    this.#isDue = false;
    if (this.#first.length > 0 || this.#crowd.length > 0) this.#due();
  };
}
