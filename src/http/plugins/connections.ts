import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';

/** How long a request that is still arriving may take once the server closes. */
const ARRIVAL_MS = 5_000;

/**
 * Ends every connection with its last answer once the server closes. Left alone, Node waits for those that never
 * carried a request or that are in the middle of one, and no longer looks whether they are in time.
 */
export function endConnections(app: FastifyInstance): void {
  /** Each connection, with the answer to what came over it last. */
  const connections = new Map<Socket, ServerResponse | null>();
  let closing = false;

  app.server.on('connection', (socket: Socket) => {
    connections.set(socket, null);
    socket.once('close', () => connections.delete(socket));
  });
  app.server.on('request', ({ socket }: IncomingMessage, response: ServerResponse) => {
    connections.set(socket, response);
    response.once('finish', () => closing && socket.end());
  });
  app.addHook('preClose', async () => {
    closing = true;
    const end = (besides: (response: ServerResponse) => boolean): void => {
      for (const [socket, response] of connections) {
        if (response === null || response.writableFinished || besides(response)) socket.destroy();
      }
    };
    end(() => false);
    setTimeout(end, ARRIVAL_MS, ({ req }: ServerResponse) => !req.complete).unref();
  });
}
