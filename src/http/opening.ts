import type { FastifyReply, FastifyRequest } from 'fastify';
import { ProblemError } from '../problems.js';
import type { EventStream, EventStreams } from './event-stream.js';
import type { Waiters } from './waiters.js';

/** How soon it is worth to ask again for a stream there was no room for, in seconds. */
const NO_ROOM_SECONDS = 10;

/** A stream on its way: nothing is sent before it is clear that there will be one. */
export class Opening {
  readonly #streams: EventStreams;
  readonly #request: FastifyRequest;
  readonly #reply: FastifyReply;
  readonly #leaveRoom: () => void;
  #stream: EventStream | null = null;
  #leave = (): void => undefined;

  /** @throws {ProblemError} `overloaded` */
  constructor(streams: EventStreams, waiters: Waiters, request: FastifyRequest, reply: FastifyReply) {
    const leaveRoom = waiters.enter();
    if (leaveRoom === null) {
      const detail = 'This process holds as many event streams and waits as it may.';
      throw new ProblemError('overloaded', detail, { headers: { 'retry-after': String(NO_ROOM_SECONDS) } });
    }
    this.#leaveRoom = leaveRoom;
    this.#streams = streams;
    this.#request = request;
    this.#reply = reply;
  }

  async follow<T>(begin: () => Promise<T>): Promise<T> {
    return begin().catch((error: unknown) => {
      this.#leaveRoom();
      throw error;
    });
  }

  open(lastId?: string): EventStream {
    const closed = () => {
      this.#leaveRoom();
      this.#leave();
    };
    this.#stream = this.#streams.open(this.#request, this.#reply, closed, lastId);
    return this.#stream;
  }

  /** Says whether there is a stream. @param leave called when it ends */
  opened(leave: () => void): boolean {
    this.#leave = leave;
    if (this.#stream === null) this.#leaveRoom();
    if (this.#stream === null || this.#stream.isClosed) leave();
    return this.#stream !== null;
  }

  end(): void {
    this.#stream?.end();
  }
}
