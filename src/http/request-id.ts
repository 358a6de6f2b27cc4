import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

const ids = new WeakMap<IncomingMessage, string>();

/** The caller's id where it is one that can stand in a header and a log; otherwise one made for the request. */
export function requestIdOf(raw: IncomingMessage): string {
  const known = ids.get(raw);
  if (known !== undefined) return known;
  const given = raw.headers['x-request-id'];
  const id = typeof given === 'string' && /^[\x21-\x7e]{1,128}$/.test(given) ? given : randomUUID();
  ids.set(raw, id);
  return id;
}
