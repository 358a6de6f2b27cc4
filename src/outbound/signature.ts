/** Signatures of messages (Standard Webhooks 1.0, https://www.standardwebhooks.com). */

import { createHmac } from 'node:crypto';

/**
 * The headers that name and sign a message, once with each key: a receiver that knows one of them can verify it.
 * @param id without a full stop, which is what stands between the parts that are signed
 * @param at when it is sent, in ms since the epoch
 */
export function signedHeaders(
  keys: readonly Buffer[],
  { id, at, body }: { readonly id: string; readonly at: number; readonly body: string },
): Record<string, string> {
  const seconds = String(Math.floor(at / 1000));
  const signatures = keys.map((key) => {
    const digest = createHmac('sha256', key).update(`${id}.${seconds}.${body}`).digest('base64');
    return `v1,${digest}`;
  });
  return { 'webhook-id': id, 'webhook-timestamp': seconds, 'webhook-signature': signatures.join(' ') };
}
