import { createHash } from 'node:crypto';

/** What stands for a caller's idempotency key in the keys of a store: of fixed length, in letters any store takes. */
export function keyDigest(caller: string, key: string): string {
  return createHash('sha256')
    .update(JSON.stringify([caller, key]))
    .digest('base64url');
}
