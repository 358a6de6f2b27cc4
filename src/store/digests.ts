import { createHash } from 'node:crypto';

/** What stands for a caller in the keys of a store: of fixed length, in letters any store takes. */
export const callerDigest = (caller: string): string => digest(caller);

/** The same for an avatar's external id. */
export const externalDigest = (externalId: string): string => digest(externalId);

/** Long enough that nobody meets another; whose an avatar is, is read in its record all the same. */
const LENGTH = 16;

function digest(text: string): string {
  return createHash('sha256').update(text).digest('base64url').slice(0, LENGTH);
}
