import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { AddressCredit } from '../address-credit.js';
import { TurnQueue } from '../turn-queue.js';

/**
 * Begins with requests and new connections a few a turn of the event loop. Left alone, Node begins with all there are at once, and a
 * thousand who come together are all answered before anybody else. This way a crowd of strangers stands behind
 * - requests over connections over which a caller was served well last, on a route that needs one;
 * - connections, and their first requests, from addresses that have credit: each caller who was served well from there earns some,
 *   and each who goes first for it spends some;
 * - new connections, which the system hands over first come, first served, and one a turn.
 * Call it before others listen to the server and before routes are added.
 */
export function takeTurns(app: FastifyInstance): void {
  const { server } = app;
  const queue = new TurnQueue();
  const credit = new AddressCredit();
  /** Whose next request goes first. */
  const trusted = new WeakSet<Socket>();
  const places = new WeakMap<Socket, number>();
  let count = 0;

  const wait = (socket: Socket, isFirst: boolean, begin: () => void): void => {
    if (isFirst) queue.putFirst(begin);
    else queue.putInCrowd(places.get(socket) ?? count, begin);
  };

  const beginConnection = ownListeners(app, 'connection');
  // Both are looked at for each connection, on any server, though the first is documented of those for bare sockets. Until one is
  // begun with nothing of it is read; to make its socket ready, too, would keep those that come behind it waiting.
  Object.assign(server, { pauseOnConnect: true, noDelay: false });
  server.on('connection', (socket: Socket) => {
    queue.noteArrival();
    places.set(socket, count++);
    const isFirst = credit.spend(socket);
    if (isFirst) trusted.add(socket);
    wait(socket, isFirst, () => {
      if (socket.destroyed) return;
      // As Node would have, were it left alone.
      socket.setNoDelay();
      // Others may bring it about, says Node ("Event: 'connection'" of http.Server).
      beginConnection(socket);
      socket.resume();
    });
  });
  const beginRequest = ownListeners(app, 'request');
  server.on('request', ({ socket }: IncomingMessage, response: ServerResponse) => {
    const isFirst = trusted.delete(socket) || credit.spend(socket);
    wait(socket, isFirst, () => {
      // Who hung up meanwhile, or was told that the rest of the request is no good, is not served.
      if (socket.writable) beginRequest(response.req, response);
    });
  });
  app.addHook('onResponse', async ({ socket, routeOptions }, { statusCode }) => {
    if (statusCode >= 400 || routeOptions.config.access === 'open') return;
    trusted.add(socket);
    credit.earn(socket);
  });
}

/** Takes away those who listen already, Node and Fastify, and returns how to tell them. */
function ownListeners({ server }: FastifyInstance, event: 'connection' | 'request') {
  const listeners = server.listeners(event);
  server.removeAllListeners(event);
  return (...args: readonly unknown[]): void => {
    for (const listener of listeners) listener.apply(server, args);
  };
}
