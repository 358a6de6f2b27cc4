import type { Socket } from 'node:net';
import type { FastifyReply, FastifyRequest } from 'fastify';

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
