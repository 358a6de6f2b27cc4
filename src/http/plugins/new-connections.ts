import type { Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';

/** Connections whose requests are begun with in one turn of the event loop. */
const A_TURN = 10;

/**
 * Begins with new connections a few at a time. Left alone, Node takes all there are at once, and a thousand that come together are
 * all answered before anybody who was there. Call it before others listen for connections.
 */
export function takeTurns(app: FastifyInstance): void {
  const { server } = app;
  // Node's own: from here on a connection is read, which it says others may bring about ("Event: 'connection'" of http.Server).
  const begin = server.listeners('connection');
  server.removeAllListeners('connection');
  const waiting = new Set<Socket>();

  const some = (): void => {
    let left = A_TURN;
    for (const socket of waiting) {
      if (left-- === 0) return void setImmediate(some);
      forget(socket);
      for (const listener of begin) listener.call(server, socket);
    }
  };
  const forget = (socket: Socket): void => {
    waiting.delete(socket);
    socket.off('error', ignore);
  };
  server.on('connection', (socket: Socket) => {
    socket.on('error', ignore).once('close', () => forget(socket));
    waiting.add(socket);
    if (waiting.size === 1) setImmediate(some);
  });
}

/** Of who hangs up before it was begun with. It closes, too. */
function ignore(): void {}
