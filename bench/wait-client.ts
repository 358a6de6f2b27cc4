/** Requests that wait, as bytes on a socket: a client of Node's for each would cost the load more than what is measured. */

import { connect, type Socket } from 'node:net';

/** Told of what happens on connections. */
export interface Listener {
  sent(): void;
  /** Whoever waits is told that an avatar has ended; it returns the one to go on with, if any. */
  ended(id: string): string | undefined;
  notOk(what: string): void;
}

export interface Target {
  readonly port: number;
  readonly localAddress: string;
}

const HEAD_END = '\r\n\r\n';
/** As it stands in an answer and in an event: the id and the status come first. */
const AVATAR = /\{"id":"(av_\w+)","status":"(\w+)"/;
const FINAL: ReadonlySet<string> = new Set(['succeeded', 'failed', 'timed_out', 'canceled', 'unconfirmed']);

/** One connection, on which one request after another is answered. */
abstract class Waiting {
  readonly #socket: Socket;
  readonly #opened: Promise<void>;
  protected readonly listener: Listener;
  protected text = '';
  #isClosed = false;

  constructor({ port, localAddress }: Target, listener: Listener) {
    this.listener = listener;
    this.#socket = connect({ port, host: '127.0.0.1', localAddress, noDelay: true });
    this.#socket.setEncoding('latin1').on('data', (text: string) => {
      this.text += text;
      this.read();
    });
    this.#opened = new Promise((resolve) => this.#socket.once('connect', resolve).once('close', resolve));
    this.#socket.on('error', (error: NodeJS.ErrnoException) => listener.notOk(error.code ?? error.name));
    this.#socket.on('close', () => {
      if (!this.#isClosed) listener.notOk('connection closed');
    });
  }

  /** Resolves when it is connected. */
  get opened(): Promise<void> {
    return this.#opened;
  }

  close(): Promise<void> {
    this.#isClosed = true;
    if (this.#socket.closed) return Promise.resolve();
    return new Promise((resolve) => this.#socket.once('close', resolve).destroy());
  }

  protected ask(path: string, header: string): void {
    this.listener.sent();
    this.#socket.write(`GET ${path} HTTP/1.1\r\nhost: gateway\r\n${header}\r\n\r\n`);
  }

  protected abstract read(): void;

  /** The head of the answer, once it is there. */
  protected head(): string | null {
    const end = this.text.indexOf(HEAD_END);
    if (end < 0) return null;
    const head = this.text.slice(0, end);
    if (!head.startsWith('HTTP/1.1 200')) this.listener.notOk(head.slice(9, 12));
    return head;
  }
}

/** The longest wait, in seconds. */
export const WAIT_SECONDS = 60;

/** Asks again and again with `Prefer: wait`. */
export class LongPoll extends Waiting {
  #id: string;

  /** @param firstSeconds how long it waits at first; then as long as it may */
  constructor(target: Target, listener: Listener, id: string, firstSeconds: number) {
    super(target, listener);
    this.#id = id;
    this.#ask(firstSeconds);
  }

  #ask(seconds = WAIT_SECONDS): void {
    this.ask(`/avatars/${this.#id}`, `prefer: wait=${seconds}`);
  }

  protected read(): void {
    const head = this.head();
    if (head === null) return;
    const length = Number(/\r\ncontent-length: (\d+)/i.exec(head)?.[1]);
    const body = this.text.slice(head.length + HEAD_END.length);
    if (body.length < length) return;
    this.text = '';
    const [, id = '', status = ''] = AVATAR.exec(body) ?? [];
    if (FINAL.has(status)) this.#id = this.listener.ended(id) ?? this.#id;
    this.#ask();
  }
}

/** Reads the events of an avatar, or of all. */
export class EventStream extends Waiting {
  readonly #isFeed: boolean;
  #isBegun = false;
  readonly begun: Promise<void>;
  #begin = (): void => undefined;
  #next: string | undefined;

  /** @param id `null`: of all */
  constructor(target: Target, listener: Listener, id: string | null) {
    super(target, listener);
    this.#isFeed = id === null;
    this.begun = new Promise((resolve) => {
      this.#begin = resolve;
    });
    this.#ask(id === null ? '/avatars/events' : `/avatars/${id}/events`);
  }

  #ask(path: string): void {
    this.#isBegun = false;
    this.ask(path, 'accept: text/event-stream');
  }

  protected read(): void {
    if (!this.#isBegun) {
      const head = this.head();
      if (head === null) return;
      this.text = this.text.slice(head.length + HEAD_END.length);
      this.#isBegun = true;
      this.#begin();
    }
    for (let end = this.text.indexOf('\n\n'); end >= 0; end = this.text.indexOf('\n\n')) {
      const [, id = '', status = ''] = AVATAR.exec(this.text.slice(0, end)) ?? [];
      this.text = this.text.slice(end + 2);
      if (FINAL.has(status)) this.#next = this.listener.ended(id);
    }
    // The last chunk (RFC 9112, 7.1): the stream is over, and the connection is free.
    if (this.#isFeed || !this.text.endsWith('\r\n0\r\n\r\n')) return;
    this.text = '';
    if (this.#next === undefined) this.listener.notOk('stream ended');
    else this.#ask(`/avatars/${this.#next}/events`);
  }
}
