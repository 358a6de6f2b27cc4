import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

/** A port that can be taken down and brought up again, as a service that is away for a while. */
export class Listener {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #host: string;
  #port: number;

  constructor(host: string, port: number, handler: RequestListener) {
    this.#host = host;
    this.#port = port;
    this.#server = createServer({ requestTimeout: 0, headersTimeout: 0 }, handler);
    this.#server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
  }

  get port(): number {
    return this.#port;
  }

  /** Listens; port 0 becomes the one that was given, and stays it. */
  async up(): Promise<void> {
    if (this.#server.listening) return;
    this.#server.listen(this.#port, this.#host);
    await once(this.#server, 'listening');
    const address: AddressInfo | string | null = this.#server.address();
    if (address !== null && typeof address !== 'string') this.#port = address.port;
  }

  /** Stops listening and cuts every connection. */
  async down(): Promise<void> {
    if (!this.#server.listening) return;
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }
}
