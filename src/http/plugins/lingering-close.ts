import type { IncomingMessage } from 'node:http';
import type { FastifyInstance } from 'fastify';

/**
 * Between two pieces, each of what has arrived of one body: about 64 kB, so 32 MB/s of all bodies together. As fast as they come they
 * would keep the garbage collector busy, and others waiting.
 */
const EVERY_MS = 2;
/** How long one is read on, and then its connection closed: as long as nginx does unless it is told otherwise (`lingering_time`). */
const LINGER_MS = 30_000;
/** Where there are more than so many it is shorter: time to read the answer. */
const MAX_BODIES = 100;
const SHORT_LINGER_MS = 1_000;

/**
 * Reads and drops what is left of the bodies of requests that were answered without it: many clients read the answer only when they
 * have sent all, and a connection that is closed before takes it with it. Node would read on of all such bodies at once;
 * here they take turns, and who sends nothing keeps nobody. Call it before routes are added.
 */
export function lingerBeforeClose(app: FastifyInstance): void {
  let bodies = 0;
  /** Something of these has arrived. */
  const arrived: IncomingMessage[] = [];
  const turn = (): void => {
    arrived.shift()?.read();
    if (arrived.length > 0) setTimeout(turn, EVERY_MS);
  };
  const readOn = (raw: IncomingMessage): void => {
    const { socket } = raw;
    bodies += 1;
    const lingerMs = bodies > MAX_BODIES ? SHORT_LINGER_MS : LINGER_MS;
    const linger = setTimeout(() => socket.destroy(), lingerMs).unref();
    const end = (): void => {
      clearTimeout(linger);
      raw.off('end', end);
      socket.off('close', end);
      bodies -= 1;
    };
    raw.once('end', end);
    // An answered request does not hear of it.
    socket.once('close', end);
    raw.on('readable', () => {
      arrived.push(raw);
      if (arrived.length === 1) setTimeout(turn, EVERY_MS);
    });
  };
  app.addHook('onSend', ({ raw }, _reply, _payload, done) => {
    // What was begun with is not read on by Node.
    if (!raw.complete) raw.read(0);
    done();
  });
  app.addHook('onResponse', ({ raw }, _reply, done) => {
    const isRead = raw.complete && raw.readableLength === 0;
    if (!isRead && !raw.socket.destroyed) readOn(raw);
    done();
  });
}
