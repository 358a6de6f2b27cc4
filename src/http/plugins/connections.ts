import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import { logOf } from '../log.js';

/** Told of each connection, for metrics. */
export interface ConnectionCounts {
  opened(): void;
  closed(): void;
  /** One too many: it was closed at once. */
  dropped(): void;
}

/** How long a request that is still arriving may take once the server closes. */
const ARRIVAL_MS = 5_000;
/** At most one line in the log in so long, however many are dropped. */
const LOG_EVERY_MS = 10_000;

/** The answer to what came over each connection last. */
export const lastAnswers = new WeakMap<Duplex, ServerResponse>();

/**
 * Closes connections beyond so many at once, before anything of them is read, and ends every one with its last answer once
 * the server closes. Left alone, Node waits for those that never carried a request or that are in the middle of one, and no
 * longer looks whether they are in time.
 */
export function limitConnections(app: FastifyInstance, max: number, counts: ConnectionCounts): void {
  const { server } = app;
  const connections = new Set<Duplex>();
  let closing = false;
  server.on('connection', (socket: Duplex) => {
    counts.opened();
    connections.add(socket);
    socket.once('close', () => {
      counts.closed();
      connections.delete(socket);
    });
  });
  server.on('request', ({ socket }: IncomingMessage, response: ServerResponse) => {
    lastAnswers.set(socket, response);
    if (closing) response.once('finish', () => socket.end());
  });
  const end = (isLate: (response: ServerResponse) => boolean): void => {
    for (const socket of connections) {
      const last = lastAnswers.get(socket);
      if (last === undefined || last.writableFinished || isLate(last)) socket.destroy();
    }
  };
  app.addHook('preClose', async () => {
    closing = true;
    end(() => false);
    for (const socket of connections) lastAnswers.get(socket)?.once('finish', () => socket.end());
    setTimeout(end, ARRIVAL_MS, ({ req }: ServerResponse) => !req.complete).unref();
  });

  server.maxConnections = max;
  let dropped = 0;
  let summary: NodeJS.Timeout | undefined;
  server.on('drop', () => {
    counts.dropped();
    dropped += 1;
    if (summary !== undefined) return;
    logOf(app).warn({ maxConnections: max }, 'as many connections as there may be; more are closed');
    summary = setTimeout(() => {
      summary = undefined;
      if (dropped > 1) logOf(app).warn({ dropped }, 'connections were closed, one too many each');
      dropped = 0;
    }, LOG_EVERY_MS).unref();
  });
  app.addHook('onClose', async () => clearTimeout(summary));
}
