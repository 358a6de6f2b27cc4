import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';

/** Requests of known connections that are begun with in one turn of the event loop. */
const KNOWN_A_TURN = 2;
/** Connections that come one behind the other, one a turn, before any of those who are not known is served. */
const MAX_ARRIVALS = 32;

/** What is to be done for a connection that is not known. */
interface Work {
  /** Connections are counted as they come. */
  readonly place: number;
  readonly begin: () => void;
}

/**
 * Begins with requests and new connections a few a turn of the event loop. Left alone, Node begins with all there are at once, and a
 * thousand who come together are all answered before anybody else. This way a crowd of strangers stands behind
 * - requests over connections that are known: one was answered well before;
 * - new connections, which the system hands over first come, first served, and one a turn: who comes behind the crowd is
 *   among those before the crowd is served;
 * - the last to come of its own, as in a last-in-first-out queue (Maurer, "Fail at Scale", ACM Queue 13/8). The first to come
 *   takes turns with it, so that all of it gets on.
 * Call it before others listen to the server.
 */
export function takeTurns(app: FastifyInstance): void {
  const { server } = app;
  const places = new WeakMap<Socket, number>();
  let count = 0;
  const known = new WeakSet<Socket>();
  const requests: (() => void)[] = [];
  /** By place. */
  const strangers: Work[] = [];
  let takesNewest = false;
  let isDue = false;
  let hasArrived = false;
  let arrivals = 0;

  const turn = (): void => {
    for (const begin of requests.splice(0, KNOWN_A_TURN)) begin();
    arrivals = hasArrived ? arrivals + 1 : MAX_ARRIVALS;
    hasArrived = false;
    if (arrivals >= MAX_ARRIVALS) {
      arrivals = 0;
      takesNewest = !takesNewest;
      (takesNewest ? strangers.pop() : strangers.shift())?.begin();
    }
    isDue = false;
    if (requests.length > 0 || strangers.length > 0) due();
  };
  const due = (): void => {
    if (!isDue) setImmediate(turn);
    isDue = true;
  };
  const wait = (socket: Socket, begin: () => void): void => {
    const place = places.get(socket) ?? count;
    const before = strangers.findLastIndex((work) => work.place <= place);
    strangers.splice(before + 1, 0, { place, begin });
    due();
  };

  const beginConnection = ownListeners(app, 'connection');
  // Until it is begun with nothing is read. Node looks at this on any server, though it documents it of those for bare sockets.
  Object.assign(server, { pauseOnConnect: true });
  server.on('connection', (socket: Socket) => {
    hasArrived = true;
    places.set(socket, count++);
    socket.on('error', ignore);
    wait(socket, () => {
      socket.off('error', ignore);
      if (socket.destroyed) return;
      // Others may bring it about, says Node ("Event: 'connection'" of http.Server).
      beginConnection(socket);
      socket.resume();
    });
  });
  const beginRequest = ownListeners(app, 'request');
  server.on('request', ({ socket }: IncomingMessage, response: ServerResponse) => {
    response.once('finish', () => response.statusCode < 400 && known.add(socket));
    const begin = (): void => {
      // Who hung up meanwhile, or was told that the rest of the request is no good, is not served.
      if (socket.writable) beginRequest(response.req, response);
    };
    if (known.has(socket)) {
      requests.push(begin);
      due();
    } else wait(socket, begin);
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

/** Of who hangs up before it was begun with. It closes, too. */
function ignore(): void {}
