import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

/** The caller's id where it is one that can stand in a header and a log; otherwise one made for the request. */
export function requestIdOf({ headers }: IncomingMessage): string {
  const given = headers['x-request-id'];
  const id = typeof given === 'string' && /^[\x21-\x7e]{1,128}$/.test(given) ? given : randomUUID();
  headers['x-request-id'] = id; // so that it has the same when it is asked for again
  return id;
}
