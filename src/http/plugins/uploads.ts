import type { FastifyInstance } from 'fastify';

/** A body that is not complete must have grown by so much each time it is looked at. */
const MIN_GROWTH_BYTES = 64 * 1024;

/**
 * Gives up bodies that arrive too slowly, as Node does with whole requests, and with the same answer: such a caller
 * holds the memory of others.
 * @param stallMs how often it is looked
 */
export function endSlowUploads(app: FastifyInstance, stallMs: number): void {
  app.addHook('preParsing', ({ raw, method }, _reply, _payload, done) => {
    if (raw.complete || method !== 'POST') return done();
    const { socket } = raw;
    let seenBytes = socket.bytesRead;
    const timer = setInterval(() => {
      const grownBytes = socket.bytesRead - seenBytes;
      seenBytes = socket.bytesRead;
      if (raw.complete || socket.destroyed) clearInterval(timer);
      else if (grownBytes < MIN_GROWTH_BYTES) {
        clearInterval(timer);
        // What Node calls a request that does not arrive in time.
        const error = { code: 'ERR_HTTP_REQUEST_TIMEOUT' };
        app.server.emit(
          'clientError',
          Object.assign(new Error('the body arrives too slowly'), error),
          socket,
        );
      }
    }, stallMs);
    for (const event of ['end', 'close', 'error']) raw.once(event, () => clearInterval(timer));
    done();
  });
}
