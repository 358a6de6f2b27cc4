import type { Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { logOf } from '../log.js';

/** Told of each connection, for metrics. */
export interface ConnectionCounts {
  opened(): void;
  closed(): void;
  /** One too many: it was closed at once. */
  dropped(): void;
}

/** At most one line in the log in so long, however many are dropped. */
const LOG_EVERY_MS = 10_000;

/** Closes connections beyond so many at once, before anything of them is read. */
export function limitConnections(app: FastifyInstance, max: number, counts: ConnectionCounts): void {
  app.server.maxConnections = max;
  app.server.on('connection', (socket: Socket) => {
    counts.opened();
    socket.once('close', () => counts.closed());
  });
  let dropped = 0;
  let summary: NodeJS.Timeout | undefined;
  app.server.on('drop', () => {
    counts.dropped();
    dropped += 1;
    if (summary !== undefined) return;
    logOf(app).warn(
      { maxConnections: max },
      'there are as many connections as there may be; more are closed',
    );
    summary = setTimeout(() => {
      summary = undefined;
      if (dropped > 1) logOf(app).warn({ dropped }, 'connections were closed, one too many each');
      dropped = 0;
    }, LOG_EVERY_MS).unref();
  });
  app.addHook('onClose', async () => clearTimeout(summary));
}
