/** A reader of event streams, over a connection of its own that it can drop. */

import { once } from 'node:events';
import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import { createParser, type EventSourceMessage } from 'eventsource-parser';
import type { AvatarView } from '../../src/http/schemas/avatar.js';

export interface ReadEvent extends EventSourceMessage {
  readonly avatar: AvatarView;
}

export class EventReader {
  readonly #request: ClientRequest;
  readonly #events: ReadEvent[] = [];
  readonly #wanting: ((event: ReadEvent | null) => void)[] = [];
  #comments = 0;
  #onComment = (): void => undefined;
  response: IncomingMessage | null = null;
  /** What it would come back with. */
  lastId: string | undefined;
  isOver = false;

  private constructor(url: string, headers: Record<string, string>) {
    this.#request = request(url, { agent: false, headers: { accept: 'text/event-stream', ...headers } });
    this.#request.on('error', () => this.#end());
  }

  /** Resolves with the head of the answer. */
  static async open(
    url: string,
    lastId?: string,
    headers: Record<string, string> = {},
  ): Promise<EventReader> {
    const last = lastId === undefined ? undefined : { 'last-event-id': lastId };
    const reader = new EventReader(url, { ...headers, ...last });
    reader.lastId = lastId;
    await reader.#begin();
    return reader;
  }

  get status(): number | undefined {
    return this.response?.statusCode;
  }

  /** The next event; `null` once the stream has ended. */
  async next(): Promise<ReadEvent | null> {
    const event = this.#events.shift();
    if (event !== undefined) return event;
    if (this.isOver) return null;
    return new Promise((resolve) => this.#wanting.push(resolve));
  }

  /** The next one that is as it is looked for. @throws where the stream ends before */
  async find(isIt: (event: ReadEvent) => boolean): Promise<ReadEvent> {
    for (;;) {
      const event = await this.next();
      if (event === null) throw new Error('the stream ended before');
      if (isIt(event)) return event;
    }
  }

  /** Everything up to the end. */
  async rest(): Promise<ReadEvent[]> {
    const all: ReadEvent[] = [];
    for (let event = await this.next(); event !== null; event = await this.next()) all.push(event);
    return all;
  }

  async comment(): Promise<void> {
    if (this.#comments > 0) return;
    await new Promise<void>((resolve) => {
      this.#onComment = resolve;
    });
  }

  drop(): void {
    this.#request.destroy();
    this.#end();
  }

  async #begin(): Promise<void> {
    this.#request.end();
    const [response] = (await once(this.#request, 'response')) as [IncomingMessage];
    this.response = response;
    const parser = createParser({
      onEvent: (event) => this.#take(event),
      onComment: () => {
        this.#comments += 1;
        this.#onComment();
      },
    });
    response.setEncoding('utf8');
    response.on('data', (text: string) => {
      // An id without data is kept, and is no event.
      const bare = /(?:^|\n\n)(?:retry: \d+\n)?id: (\S+)\n\n/.exec(text)?.[1];
      if (bare !== undefined) this.lastId = bare;
      parser.feed(text);
    });
    for (const end of ['end', 'close', 'error']) response.on(end, () => this.#end());
  }

  #take(event: EventSourceMessage): void {
    if (event.id !== undefined) this.lastId = event.id;
    const read = { ...event, avatar: JSON.parse(event.data) as AvatarView };
    const wanting = this.#wanting.shift();
    if (wanting === undefined) this.#events.push(read);
    else wanting(read);
  }

  #end(): void {
    this.isOver = true;
    for (const wanting of this.#wanting.splice(0)) wanting(null);
  }
}
