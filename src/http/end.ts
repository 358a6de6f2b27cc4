import type { Socket } from 'node:net';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { logOf } from './log.js';

/** For each connection what is to be called at its end: one listener, however many requests are pipelined over it. */
const ends = new WeakMap<Socket, Set<() => void>>();

/**
 * Calls back once, when a request was answered or its caller hung up. An answer that waits for others on its connection
 * never hears of the end of that.
 */
export function onEnd({ raw: { socket } }: FastifyRequest, reply: FastifyReply, ended: () => void): void {
  const underWay = ends.get(socket) ?? endsOf(socket);
  const end = () => {
    if (!underWay.delete(end)) return;
    reply.raw.off('close', end);
    ended();
  };
  underWay.add(end);
  reply.raw.once('close', end);
  if (socket.destroyed) end();
}

function endsOf(socket: Socket): Set<() => void> {
  const underWay = new Set<() => void>();
  ends.set(socket, underWay);
  socket.once('close', () => {
    for (const end of underWay) end();
  });
  return underWay;
}

/**
 * Cuts off a caller who takes nothing of an answer, rather than hold what it is made of for as long as the caller likes. A
 * player that has enough for now comes back for the rest with a `Range`. An answer that nothing came for says nothing of
 * the caller.
 * @param stallMs in which it has to take something
 */
export function endStalledReads(request: FastifyRequest, reply: FastifyReply, stallMs: number): void {
  const tookNothing = stallOf(request, reply);
  const timer = setInterval(() => {
    if (!tookNothing()) return;
    logOf(request).info({}, 'a caller took nothing of an answer for too long');
    request.raw.socket.destroy();
  }, stallMs);
  onEnd(request, reply, () => clearInterval(timer));
}

/** Tells whether a caller has taken nothing of what was there for it since it was asked last. */
export function stallOf({ raw: { socket } }: FastifyRequest, { raw }: FastifyReply): () => boolean {
  let seenBytes: number | null = null;
  return () => {
    // An answer that waits for others on its connection has no socket yet.
    const isUnread = raw.socket !== null && raw.writableLength > 0;
    const takenBytes = isUnread ? socket.bytesWritten - socket.writableLength : null;
    const isStalled = isUnread && takenBytes === seenBytes;
    seenBytes = takenBytes;
    return isStalled;
  };
}
