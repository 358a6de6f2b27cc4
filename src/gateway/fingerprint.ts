import { createHash } from 'node:crypto';

import type { Inspected } from './inspect.js';
import type { AvatarRequest } from './request.js';

/**
 * What a request was, for telling whether a second one with the same idempotency key is the same: every field
 * that was validated and the bytes that would be sent, not how the JSON was written.
 */
export function fingerprintOf(request: AvatarRequest, { image, speech }: Inspected): string {
  const { mode, prompt, externalId, metadata } = request;
  const sound =
    'audioId' in speech.send ? ['id', speech.send.audioId] : ['file', sha256(speech.send.soundFile)];
  const notes = Object.entries(metadata).sort(([a], [b]) => (a < b ? -1 : 1));
  return sha256(JSON.stringify([mode, prompt, externalId, notes, sha256(image.text), sound]));
}

function sha256(value: string | Buffer): string {
  return createHash('sha256').update(value).digest('base64url');
}
