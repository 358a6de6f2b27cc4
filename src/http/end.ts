import type { FastifyReply, FastifyRequest } from 'fastify';

/**
 * Calls back once, when a request was answered or its caller hung up. An answer that waits for others on its connection
 * never hears of the end of that.
 */
export function onEnd({ raw: { socket } }: FastifyRequest, reply: FastifyReply, ended: () => void): void {
  let isOver = false;
  const end = () => {
    // The one may be told in the midst of telling the other.
    if (isOver) return;
    isOver = true;
    socket.off('close', end);
    reply.raw.off('close', end);
    ended();
  };
  socket.once('close', end);
  reply.raw.once('close', end);
  if (socket.destroyed) end();
}
