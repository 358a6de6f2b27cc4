import { createHmac, timingSafeEqual } from 'node:crypto';
import { ProblemError } from '../../problems.js';
import type { Store } from '../../store/store.js';
import { SharedSecret } from '../shared-secret.js';

const GOOD_FOR_SECONDS = 3_600;

/** What a link says: until when it is good, in Unix seconds, and the signature over that and the avatar. */
export interface VideoLink {
  readonly expires: string;
  readonly signature: string;
}

/**
 * Links to videos that work without a key, for one video and an hour. They are signed with a secret that every replica knows.
 */
export class VideoLinks {
  readonly #secret: SharedSecret;

  constructor(store: Store) {
    this.#secret = new SharedSecret(store, 'video-links-1');
  }

  /** A link to the video of an avatar. @throws {StoreUnavailableError} */
  async sign(id: string): Promise<VideoLink> {
    const secret = await this.#secret.value();
    const expires = String(Math.floor(this.#secret.now / 1000) + GOOD_FOR_SECONDS);
    return { expires, signature: signatureOf(secret, id, expires) };
  }

  /** @throws {ProblemError} `forbidden` for a link that is not to this video, or has expired; {StoreUnavailableError} */
  async check(id: string, { expires, signature }: VideoLink): Promise<void> {
    const expected = Buffer.from(signatureOf(await this.#secret.value(), id, expires));
    const given = Buffer.from(signature);
    if (given.length !== expected.length || !timingSafeEqual(given, expected)) {
      throw new ProblemError(
        'forbidden',
        'The signature of this link is not valid. Use a link as it was given.',
      );
    }
    if (Number(expires) * 1000 <= this.#secret.now) {
      throw new ProblemError('forbidden', 'This link has expired. Query its task again for a new one.');
    }
  }
}

function signatureOf(secret: string, id: string, expires: string): string {
  return createHmac('sha256', secret).update(`video\n${id}\n${expires}`).digest('base64url');
}
