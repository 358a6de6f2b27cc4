/**
 * Tokens for writes that may have to be sent again.
 *
 * A write whose reply was lost may have been done. Sent again with the same token, Redis can tell that it finds its
 * own work and not another worker's, so the caller hears what it would have heard the first time. Every other write
 * gets a token of its own, which keeps the fence exact: of two equal saves at one version, one wins.
 */

import { createHash, randomBytes } from 'node:crypto';

/** How many are remembered; the oldest goes first. */
const LIMIT = 10_000;

export class LostWrites {
  readonly #tokens = new Map<string, string>();

  /** Runs `send` with the token of the same write, if its reply was lost before, and keeps it if that is lost again. */
  async send<T>(
    write: readonly [id: string, version: number, doc: Buffer],
    send: (token: string) => Promise<T>,
  ): Promise<T> {
    const [id, version, doc] = write;
    const key = `${id} ${version} ${createHash('sha256').update(doc).digest('base64')}`;
    const token = this.#tokens.get(key) ?? randomBytes(9).toString('base64url');
    this.#tokens.delete(key); // Taken: an equal write at the same time is another one.
    try {
      return await send(token);
    } catch (error) {
      this.#tokens.set(key, token);
      for (const oldest of this.#tokens.keys()) {
        if (this.#tokens.size <= LIMIT) break;
        this.#tokens.delete(oldest);
      }
      throw error;
    }
  }
}
