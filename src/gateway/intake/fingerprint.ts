import { createHash } from 'node:crypto';

import type { Inspected } from './inspect.js';
import type { AvatarRequest } from './request.js';

/**
 * What a request was, for telling whether a second one with the same idempotency key is the same: every field
 * that was validated and the bytes of the media, whichever way they came, not how the body was written.
 */
export function fingerprintOf(request: AvatarRequest, { image, speech }: Inspected): string {
  const { mode, prompt, externalId, metadata, callbackUrl, startWithinMs } = request;
  const notes = Object.entries(metadata).sort(([a], [b]) => (a < b ? -1 : 1));
  const all = [mode, prompt, externalId, notes, image.identity, speech.identity, callbackUrl, startWithinMs];
  return createHash('sha256').update(JSON.stringify(all)).digest('base64url');
}
