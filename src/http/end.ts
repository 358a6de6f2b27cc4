import type { FastifyReply, FastifyRequest } from 'fastify';

/**
 * Calls back once, when a request was answered or its caller hung up. An answer that waits for others on its connection
 * never hears of the end of that.
 */
export function onEnd({ raw: { socket } }: FastifyRequest, reply: FastifyReply, ended: () => void): void {
  const end = () => {
    socket.off('close', end);
    reply.raw.off('close', end);
    ended();
  };
  socket.once('close', end);
  reply.raw.once('close', end);
  if (socket.destroyed) end();
}
