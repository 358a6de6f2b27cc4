import { createHash, randomBytes } from 'node:crypto';

/** A key that nobody guesses. The prefix tells scanners for secrets, and people, what it is. */
export function newKey(): string {
  return `agk_${randomBytes(32).toString('base64url')}`;
}

/** SHA-256. Nothing slower is needed: keys are random, so there is no dictionary to go through. */
export function hashOf(key: string): Buffer {
  return createHash('sha256').update(key).digest();
}
