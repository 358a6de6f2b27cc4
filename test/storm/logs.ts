/** What the gateways log, a line at a time. */

import type { Book } from './book.js';
import { Tally } from './tally.js';

const WARN = 40;
const RECOVERIES = ['answers of an earlier process are replayed'];

interface Line {
  readonly level: number;
  readonly msg: string;
  readonly avatarId?: string;
  readonly status?: string;
  readonly outcome?: string;
}

/** What a process has said of its own submits: those that were paid for, or may have been. */
export type Life = Set<string>;

export class LogReader {
  /** Warnings, errors and recoveries, by message. */
  readonly notable = new Tally();
  readonly #book: Book;
  readonly #ended = new Map<string, string>();

  constructor(book: Book) {
    this.#book = book;
  }

  /** @param life of the process that wrote it */
  line(text: string, life: Life): void {
    const line = parse(text);
    if (line === null) return;
    const { level, msg, avatarId, status } = line;
    if (level >= WARN || RECOVERIES.includes(msg)) this.notable.add(msg);
    if (msg === 'submit settled') this.#sent(line, life);
    if (msg !== 'avatar ended' || avatarId === undefined || status === undefined) return;
    if (status === 'unconfirmed') return;
    // An end may be heard of twice, from whoever wrote it and from whoever came too late.
    const before = this.#ended.get(avatarId) ?? status;
    const token = this.#book.sightings.get(avatarId)?.token ?? '';
    this.#book.checkOf(this.#book.asks.get(token), 'I2', before === status, () => {
      return `${avatarId} ended ${before} and then ${status}, by the gateways' logs`;
    });
    this.#ended.set(avatarId, status);
  }

  /** Whatever its store forgot, a process knows what it sent. */
  #sent({ avatarId = '', outcome }: Line, life: Life): void {
    this.#book.check('I1', !life.has(avatarId), () => `one process sent ${avatarId} again: ${outcome}`);
    if (outcome === 'accepted' || outcome === 'unknown') life.add(avatarId);
  }
}

/** `null` for what a kill has cut, and what is not a log line. */
function parse(text: string): Line | null {
  try {
    return JSON.parse(text) as Line;
  } catch {
    return null;
  }
}
