import type { IncomingMessage } from 'node:http';

/** What a request says of who sends it. */
export type Credentials =
  | { readonly kind: 'none' }
  /** In another form than ours, or several times. */
  | { readonly kind: 'unreadable' }
  | { readonly kind: 'key'; readonly key: string };

/**
 * `Authorization: Bearer <key>`, spelled like this (RFC 6750 §2.1, though other schemes ignore case). The key is taken out
 * of the request, so that nothing later can log it.
 */
export function takeCredentials({ headers, rawHeaders }: IncomingMessage): Credentials {
  const sent: string[] = [];
  for (const [at, name] of rawHeaders.entries()) {
    if (at % 2 === 1 || name.toLowerCase() !== 'authorization') continue;
    sent.push(rawHeaders[at + 1] ?? '');
    rawHeaders[at + 1] = '';
  }
  delete headers.authorization;
  const [value] = sent;
  if (value === undefined) return { kind: 'none' };
  const key = sent.length === 1 ? /^Bearer ([!-~]+)$/.exec(value)?.[1] : undefined;
  return key === undefined ? { kind: 'unreadable' } : { kind: 'key', key };
}
