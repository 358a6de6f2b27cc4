import type { Forgiven } from './forgiven.js';

/** What came of an inspection. The bytes were given away meanwhile, and come back with it as they are to be sent. */
export interface InspectedFile<Facts> {
  readonly facts: Facts;
  readonly bytes: Buffer;
  /** Whether they are base64. */
  readonly encoded: boolean;
  /** Of the file, not of its base64: SHA-256, in base64url. */
  readonly digest: string;
  readonly forgiven: readonly Forgiven[];
}
