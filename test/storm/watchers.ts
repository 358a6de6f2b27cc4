/** Who looks: at every avatar that is not final, and now and then at those that are. */

import { setTimeout as sleep } from 'node:timers/promises';
import type { AvatarView } from '../../src/http/schemas/avatar.js';
import type { Book } from './book.js';
import type { Member } from './member.js';
import type { Chance } from './random.js';
import { send } from './send.js';

const UNFINISHED_A_ROUND = 12;
const FINISHED_A_ROUND = 4;
const ROUND_MS = 250;

export class Watchers {
  readonly #book: Book;
  readonly #members: readonly Member[];
  readonly #chance: Chance;
  #cursor = 0;
  looks = 0;

  constructor(book: Book, members: readonly Member[], chance: Chance) {
    this.#book = book;
    this.#members = members;
    this.#chance = chance;
  }

  async run(stop: AbortSignal): Promise<void> {
    while (!stop.aborted) {
      const all = [...this.#book.sightings.values()];
      const open = all.filter(({ final, lost }) => final === null && !lost);
      const done = all.filter(({ final, lost }) => final !== null && !lost);
      const chosen = Array.from({ length: Math.min(UNFINISHED_A_ROUND, open.length) }, () => {
        this.#cursor += 1;
        return open[this.#cursor % open.length];
      });
      for (let at = 0; at < FINISHED_A_ROUND && done.length > 0; at += 1)
        chosen.push(this.#chance.pick(done));
      await Promise.all(chosen.map((one) => one && this.look(one.id, this.#chance.pick(this.#members))));
      await sleep(ROUND_MS, undefined, { signal: stop }).catch(() => undefined);
    }
  }

  /** Looks at an avatar once. Says whether it was answered. */
  async look(id: string, { url }: Member): Promise<boolean> {
    const sentAt = performance.now();
    const reply = await send(`${url}/avatars/${id}`, { timeoutMs: 8_000 }).catch(() => null);
    this.looks += 1;
    if (reply?.status === 404) return this.#book.missing(id);
    if (reply?.status !== 200) return false;
    this.#book.seen(reply.body as AvatarView, { sentAt, receivedAt: performance.now() });
    return true;
  }

  /** Looks at every avatar, at each gateway; where one does not answer, again. */
  async lookAtAll(stop: AbortSignal): Promise<void> {
    for (const member of this.#members) {
      let left = [...this.#book.sightings.keys()];
      while (left.length > 0 && !stop.aborted) {
        const batch = left.splice(0, 20);
        const answered = await Promise.all(batch.map((id) => this.look(id, member)));
        left = left.concat(batch.filter((_, at) => !answered[at]));
      }
    }
  }
}
