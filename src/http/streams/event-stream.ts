import type { FastifyReply, FastifyRequest } from 'fastify';
import { stallOf } from '../end.js';
import type { HeldRequest } from './held-requests.js';

/** A reader that has more than this unread gets no more before it has read all of it. */
const MAX_UNREAD_BYTES = 256 * 1024;
/** Only events that cannot be read from the store later go beyond that, up to here: then the reader is cut off. */
const CUT_OFF_BYTES = 4 * 1024 * 1024;
/** How soon a reader comes back, in ms, where it does as it is told. */
const RETRY_MS = 2_000;
/** How long what was said last may take to be read. */
const LAST_WORDS_MS = 1_000;

const HEARTBEAT = Buffer.from(':\n\n');

/**
 * An answer that is a stream of events, written past Fastify. @fastify/sse does not serve: each send to a slow reader adds
 * listeners until it drains, and nothing bounds them; each stream has a timer of its own; each reader has the same
 * event put into words anew; and an id without data cannot be sent.
 */
export class EventStream {
  readonly #raw: FastifyReply['raw'];
  readonly #socket: FastifyRequest['socket'];
  readonly #tookNothing: () => boolean;

  /**
   * @param lastId what a reader that never saw an event is to come back with: an id without data is no event, and is kept
   * all the same (HTML Living Standard, 9.2.6)
   */
  constructor(held: HeldRequest, request: FastifyRequest, reply: FastifyReply, lastId?: string) {
    this.#raw = reply.raw;
    this.#socket = request.raw.socket;
    this.#tookNothing = stallOf(request, reply);
    reply.hijack();
    reply.raw.writeHead(200, {
      ...(reply.getHeaders() as Record<string, string>),
      'content-type': 'text/event-stream',
      // Compressors gather what they compress: they leave alone what is not to be transformed (RFC 9111, 5.2.2.6).
      'cache-control': 'no-store, no-transform',
      'x-accel-buffering': 'no',
    });
    this.send(Buffer.from(`retry: ${RETRY_MS}\n${lastId === undefined ? '' : `id: ${lastId}\n`}\n`));
    held.beat = () => this.#beat();
    held.onEnd(() => this.end());
  }

  /** Has so much unread that it had better be sent no more before it {@link drained}. */
  get isBehind(): boolean {
    return this.#raw.writableLength > MAX_UNREAD_BYTES;
  }

  send(bytes: Buffer): void {
    if (this.#isOver) return;
    this.#raw.write(bytes);
    if (this.#raw.writableLength > CUT_OFF_BYTES) this.#socket.destroy();
  }

  /** Resolves when all that was sent is on its way; `false`: nothing more is taken. */
  async drained(): Promise<boolean> {
    if (this.#raw.writableNeedDrain && !this.#isOver) {
      await new Promise<void>((resolve) => {
        const go = () => {
          this.#raw.off('drain', go).off('close', go);
          resolve();
        };
        this.#raw.once('drain', go).once('close', go);
      });
    }
    return !this.#isOver;
  }

  /** Once what was said is read, or soon. */
  end(): void {
    if (this.#isOver) return;
    this.#raw.end();
    const isRead = (): boolean => this.#raw.writableFinished;
    if (!isRead()) setTimeout(() => isRead() || this.#socket.destroy(), LAST_WORDS_MS).unref();
  }

  get #isOver(): boolean {
    return this.#raw.writableEnded || this.#socket.destroyed;
  }

  /** Says something, so that nobody on the way takes the stream for dead. Cuts off a reader that took nothing since the last time. */
  #beat(): void {
    if (this.#tookNothing()) this.#socket.destroy();
    else if (this.#raw.writableLength === 0) this.send(HEARTBEAT);
  }
}
