import type { FastifyRequest } from 'fastify';

/**
 * What absolute URLs in an answer begin with, without a slash at the end.
 * @param publicUrl as it is configured; `null`: the host that the request was sent to
 */
export function baseOf({ protocol, host, socket }: FastifyRequest, publicUrl: string | null): string {
  if (publicUrl !== null) return publicUrl;
  const { localAddress = '127.0.0.1', localPort } = socket;
  // HTTP/1.0 needs no Host, and what it holds is up to whoever sends it.
  const scheme = protocol === 'https' ? 'https' : 'http';
  const said = `${scheme}://${host}`;
  if (host !== '' && URL.canParse(said)) return new URL(said).origin;
  return `${scheme}://${localAddress.includes(':') ? `[${localAddress}]` : localAddress}:${localPort}`;
}
