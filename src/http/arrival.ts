import type { IncomingMessage } from 'node:http';
import { withoutPort } from './access/address.js';

/** What every path of ours begins with. */
const OURS = /^\/(?:avatars|usage|modellix|api\/v1|docs|openapi\.json|livez|readyz|metrics)(?=[/?#]|$)/;

/** Modellix's clients name a file after the last part of its URL, so the video's ends in a name, which says nothing more. */
const NAMED = /^(\/avatars\/[^/?#]+\/video)\/[^/?#]+\.mp4(?=[?#]|$)/;

/** Modellix knows the gateway by a URL of its own, whose path a proxy may leave in place. */
const PUSH = /^\/.*(\/modellix\/[^/?#]+)(?=[?#]|$)/;

const ABSOLUTE = /^https?:\/\/([^/?#]*)/i;

/**
 * Brings a request into the form that everything after it reads: forwarded addresses without ports, and a target that is a
 * path of ours. Fastify's `rewriteUrl`.
 * @param basePath see {@link basePathOf}
 * @returns the target
 */
export function normalize(request: IncomingMessage, basePath: string): string {
  const { headers, url = '/' } = request;
  const forwarded = headers['x-forwarded-for'];
  if (typeof forwarded === 'string') {
    headers['x-forwarded-for'] = forwarded.split(',').map(withoutPort).join(', ');
  }
  // In the absolute form the host goes before that of the header.
  const host = url.startsWith('/') ? undefined : ABSOLUTE.exec(url)?.[1];
  if (host !== undefined) headers.host = host;
  const path = originForm(url);
  // A proxy may leave the path of PUBLIC_URL in place. What is then no path of ours did not begin with it.
  const rest = path.startsWith(basePath) ? path.slice(basePath.length) : path;
  return (OURS.test(rest) ? rest : path).replace(NAMED, '$1').replace(PUSH, '$1');
}

/** A target without scheme and host: the absolute form is the same request (RFC 9112 §3.2.2). */
export function originForm(url: string): string {
  return url.startsWith('/') ? url : url.replace(ABSOLUTE, '').replace(/^(?![/*])/, '/');
}

/** The path of PUBLIC_URL, without a slash at the end. */
export function basePathOf(publicUrl: string | null): string {
  return publicUrl === null ? '' : new URL(publicUrl).pathname.replace(/\/$/, '');
}
