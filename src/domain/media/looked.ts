/** What a look at media came to. The bytes were given away meanwhile, and come back with it. */
export interface Looked<Facts> {
  readonly facts: Facts;
  readonly bytes: Buffer;
  /** SHA-256, in base64url. */
  readonly digest: string;
}
