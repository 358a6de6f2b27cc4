import { createHash } from 'node:crypto';
import { inspect } from 'node:util';

/** A key to Modellix. Only {@link ApiKey.reveal} shows it: not a log, not JSON, not an inspection. */
export class ApiKey {
  readonly #secret: string;
  /** The first 12 hexadecimal digits of its SHA-256: tells keys apart, and leads back to none. */
  readonly id: string;

  /** @throws {TypeError} for what could never stand in a header; says so without its value */
  constructor(secret: string) {
    if (!/^[\x21-\x7e]+$/.test(secret)) throw new TypeError('an API key must be visible ASCII characters');
    this.#secret = secret;
    this.id = createHash('sha256').update(secret).digest('hex').slice(0, 12);
  }

  /** The key itself, for the one header it is sent in. */
  reveal(): string {
    return this.#secret;
  }

  toJSON(): { readonly id: string } {
    return { id: this.id };
  }

  [inspect.custom](): string {
    return `ApiKey(${this.id})`;
  }
}
