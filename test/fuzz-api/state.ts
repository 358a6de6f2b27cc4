/** What is known of the gateway from its answers: ids of avatars in all states, next pages, ETags, ids of events. */

import type { Chance } from '../storm/random.js';
import type { Answer } from './send.js';

const MOST = 400;
const ID = /^av_[0-9a-f]{32}$/;

export class State {
  readonly #statuses = new Map<string, string>();
  readonly #nextPages: string[] = [];
  /** By path. */
  readonly #etags = new Map<string, string>();
  readonly #events = new Map<string, string>();

  /** Takes note of what the answer to a request for a path says. */
  learn(path: string, { headers, body }: Pick<Answer, 'headers' | 'body'>): void {
    const type = headers['content-type'] ?? '';
    if (headers.etag !== undefined) keep(this.#etags, path, headers.etag);
    const next = /<([^>]*)>; rel="next"/.exec(String(headers.link))?.[1];
    if (next !== undefined) this.#nextPages.splice(0, this.#nextPages.length >= MOST ? 1 : 0);
    if (next !== undefined) this.#nextPages.push(next);
    if (/json/.test(type)) this.#look(JSON.parse(body.toString('utf8') || 'null'));
    const event = type.startsWith('text/event-stream') && /^id: ?(.*)$/m.exec(body.toString('utf8'))?.[1];
    if (event) keep(this.#events, path, event);
  }

  /** An avatar that is, or was; each state as likely as the next. */
  id(chance: Chance): string {
    const statuses = [...new Set(this.#statuses.values())].sort();
    if (statuses.length === 0) return `av_${'0'.repeat(32)}`;
    const status = chance.pick(statuses);
    return chance.pick([...this.#statuses].filter(([, each]) => each === status))[0];
  }

  /** The query of a page that comes after another one; `null` where none is known. */
  nextPage(chance: Chance): string | null {
    return this.#nextPages.length === 0 ? null : chance.pick(this.#nextPages).replace(/^[^?]*/, '');
  }

  /** That of the path, where one is known. */
  etag(chance: Chance, path: string): string {
    return (
      (chance.is(0.7) ? this.#etags.get(path) : undefined) ?? chance.pick(['"none"', ...this.#etags.values()])
    );
  }

  /** The same for the last event that was received. */
  eventId(chance: Chance, path: string): string {
    return this.#events.get(path) ?? chance.pick(['0', '3', ...this.#events.values()]);
  }

  #look(value: unknown): void {
    if (typeof value !== 'object' || value === null) return;
    const { id, task_id, status } = value as Record<string, unknown>;
    for (const each of [id, task_id]) {
      if (typeof each !== 'string' || !ID.test(each)) continue;
      keep(this.#statuses, each, String(status));
    }
    for (const each of Object.values(value)) this.#look(each);
  }
}

function keep(map: Map<string, string>, key: string, value: string): void {
  map.delete(key);
  map.set(key, value);
  const [oldest] = map.keys();
  if (map.size > MOST && oldest !== undefined) map.delete(oldest);
}
