import type { FastifyReply, FastifyRequest } from 'fastify';
import { onEnd } from './end.js';

/** A reader that leaves more than this unread is cut off; it comes back with the last id it has. */
const MAX_UNREAD_BYTES = 256 * 1024;
/** How often a stream says something, so that nobody on the way takes it for dead. */
const BEAT_SECONDS = 15;
/** How soon a reader comes back, in ms, where it does as it is told. */
const RETRY_MS = 2_000;
/** How long what was said last may take to be read. */
const LAST_WORDS_MS = 1_000;

const HEARTBEAT = Buffer.from(':\n\n');

/** The event streams of a server. Their heartbeats come from one timer, spread over the seconds. */
export class EventStreams {
  readonly #beats: readonly Set<EventStream>[] = Array.from({ length: BEAT_SECONDS }, () => new Set());
  #opened = 0;
  #second = 0;
  #open = 0;
  #timer: NodeJS.Timeout | undefined;

  /**
   * Answers a request with a stream, which is written past Fastify. @fastify/sse does not serve: each send to a slow reader adds
   * listeners until it drains, and nothing bounds them; each stream has a timer of its own; each reader has the same
   * event put into words anew; and an id without data cannot be sent.
   * @param lastId what a reader that never saw an event is to come back with: an id without data is no event, and is kept
   * all the same (HTML Living Standard, 9.2.6)
   * @param closed called once, whoever closes it
   */
  open(request: FastifyRequest, reply: FastifyReply, closed: () => void, lastId?: string): EventStream {
    const stream = new EventStream(request, reply);
    const beat = this.#beats[this.#opened++ % BEAT_SECONDS];
    beat?.add(stream);
    this.#open += 1;
    this.#timer ??= setInterval(() => this.#beat(), 1_000);
    onEnd(request, reply, () => {
      stream.isClosed = true;
      beat?.delete(stream);
      this.#open -= 1;
      if (this.#open === 0) {
        clearInterval(this.#timer);
        this.#timer = undefined;
      }
      closed();
    });
    stream.send(Buffer.from(`retry: ${RETRY_MS}\n${lastId === undefined ? '' : `id: ${lastId}\n`}\n`));
    return stream;
  }

  #beat(): void {
    this.#second = (this.#second + 1) % BEAT_SECONDS;
    for (const stream of this.#beats[this.#second] ?? []) stream.send(HEARTBEAT);
  }
}

export class EventStream {
  readonly #raw: FastifyReply['raw'];
  readonly #socket: FastifyRequest['socket'];
  isClosed = false;

  constructor({ raw: { socket } }: FastifyRequest, reply: FastifyReply) {
    this.#raw = reply.raw;
    this.#socket = socket;
    reply.hijack();
    reply.raw.writeHead(200, {
      ...(reply.getHeaders() as Record<string, string>),
      'content-type': 'text/event-stream',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
    });
  }

  /** Cuts off a reader that has too much to read. */
  send(bytes: Buffer): void {
    if (this.isClosed || this.#raw.writableEnded) return;
    this.#raw.write(bytes);
    if (this.#raw.writableLength > MAX_UNREAD_BYTES) this.#socket.destroy();
  }

  /** Resolves when what was sent is on its way; `false`: nothing more is taken. */
  async room(): Promise<boolean> {
    if (this.#raw.writableNeedDrain && !this.isClosed && !this.#raw.writableEnded) {
      await new Promise<void>((resolve) => {
        const go = () => {
          this.#raw.off('drain', go).off('close', go);
          resolve();
        };
        this.#raw.once('drain', go).once('close', go);
      });
    }
    return !this.isClosed && !this.#raw.writableEnded;
  }

  /** Once what was said is read, or soon. */
  end(): void {
    if (this.isClosed || this.#raw.writableEnded) return;
    this.#raw.end();
    if (this.#raw.writableLength > 0) setTimeout(() => this.#cutUnlessRead(), LAST_WORDS_MS).unref();
  }

  #cutUnlessRead(): void {
    if (!this.isClosed) this.#socket.destroy();
  }
}
