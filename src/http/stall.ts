import type { FastifyReply, FastifyRequest } from 'fastify';
import { onEnd } from './end.js';
import { logOf } from './log.js';

/**
 * Cuts off a caller who takes nothing of an answer, rather than hold what it is made of for as long as the caller likes. A
 * player that has enough for now comes back for the rest with a `Range`. An answer that nothing came for says nothing of
 * the caller.
 * @param stallMs in which it has to take something
 */
export function endStalledReads(request: FastifyRequest, reply: FastifyReply, stallMs: number): void {
  const { socket } = request.raw;
  const takenBytes = () => socket.bytesWritten - socket.writableLength;
  let seenBytes: number | null = null;
  const timer = setInterval(() => {
    const isUnread = reply.raw.writableLength > 0;
    if (isUnread && seenBytes === takenBytes()) {
      logOf(request).info({}, 'a caller took nothing of an answer for too long');
      socket.destroy();
    }
    seenBytes = isUnread ? takenBytes() : null;
  }, stallMs);
  onEnd(request, reply, () => clearInterval(timer));
}
