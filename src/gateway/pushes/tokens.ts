import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Store } from '../../store/store.js';
import { SharedSecret } from '../shared-secret.js';

/**
 * Where Modellix pushes the end of each avatar's task: a URL of its own for each, which nobody can guess, and which every
 * replica knows without a look at the store.
 */
export class PushTokens {
  readonly #secret: SharedSecret;
  readonly #url: string;

  /** @param url how Modellix reaches the gateway, without a slash at the end */
  constructor(store: Store, url: string) {
    this.#secret = new SharedSecret(store, 'pushes-1');
    this.#url = url;
  }

  /** Gets the secret before it is needed, where it can be had. */
  async prepare(): Promise<void> {
    await this.#secret.value().catch(() => undefined);
  }

  /** A call to the store for the first alone. @throws {StoreUnavailableError} */
  async urlFor(avatarId: string): Promise<string> {
    return `${this.#url}/modellix/${avatarId}.${signatureOf(await this.#secret.value(), avatarId)}`;
  }

  /** The id of the avatar that a token is for; `null` where it is none of ours. @throws {StoreUnavailableError} */
  async avatarIdIn(token: string): Promise<string | null> {
    const [avatarId = '', signature = '', ...more] = token.split('.');
    const expected = Buffer.from(signatureOf(await this.#secret.value(), avatarId));
    const given = Buffer.from(signature);
    const isOurs = more.length === 0 && given.length === expected.length && timingSafeEqual(given, expected);
    return isOurs ? avatarId : null;
  }
}

function signatureOf(secret: string, avatarId: string): string {
  return createHmac('sha256', secret).update(`push\n${avatarId}`).digest('base64url');
}
