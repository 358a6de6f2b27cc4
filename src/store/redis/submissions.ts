/**
 * Submissions in Redis: a hash of pieces, since a value of 15 MB keeps Redis from everything else while it is read, copied
 * or made longer. What fits into one piece is an argument of the script that creates its avatar; what does not is
 * uploaded before, under a key of its own.
 */

import type { Redis } from 'ioredis';
import { Semaphore } from '../semaphore.js';
import type { Connection } from './connection/connection.js';
import { idWord } from './ids.js';
import { UPLOAD_MS } from './scripts/scripts.js';

/** Redis is busy with one for some 0.05 ms. */
export const PIECE_BYTES = 256 * 1024;
/** Pieces on their way at the same time: whatever else goes by the connection is behind so many at most. */
const AT_ONCE = 4;

export class Submissions {
  readonly #redis: Connection;
  readonly #semaphore = new Semaphore(AT_ONCE);

  constructor(redis: Connection) {
    this.#redis = redis;
  }

  /**
   * For an avatar whose admission asked for it; done again, it is the same.
   * @throws StoreUnavailableError
   */
  async upload(id: string, submission: readonly Buffer[]): Promise<void> {
    const key = this.#redis.key('upload', idWord(id));
    let at = 0;
    for (const piece of inPieces(submission, PIECE_BYTES)) {
      const put = (client: Redis) =>
        Promise.all([client.hset(key, at, piece), client.pexpire(key, UPLOAD_MS)]);
      await this.#semaphore.run(() => this.#redis.use(put));
      at += 1;
    }
  }

  /** `null` where it is not all there. @throws StoreUnavailableError */
  async read(id: string): Promise<Buffer | null> {
    const key = this.#redis.key('submission', idWord(id));
    const [size, first] = await this.#redis.use((client) => client.hmgetBuffer(key, 'bytes', '0'));
    if (!size || !first) return null;
    const bytes = Number(size);
    if (first.length === bytes) return first;
    const whole = Buffer.allocUnsafeSlow(bytes);
    for (let at = first.copy(whole), piece = 1; at < bytes; piece += AT_ONCE) {
      const fields = Array.from({ length: AT_ONCE }, (_, i) => String(piece + i));
      const found = await this.#redis.use((client) => client.hmgetBuffer(key, ...fields));
      if (!found[0]) return null;
      for (const next of found) at += next?.copy(whole, at) ?? 0;
    }
    return whole;
  }
}

/** The same bytes in pieces of one size; the last one may be shorter. Bytes are copied only where parts meet. */
export function* inPieces(parts: readonly Buffer[], size: number): Generator<Buffer> {
  let slices: Buffer[] = [];
  let room = size;
  for (const part of parts) {
    for (let at = 0; at < part.length; ) {
      const slice = part.subarray(at, at + room);
      slices.push(slice);
      at += slice.length;
      room -= slice.length;
      if (room > 0) continue;
      yield joined(slices);
      slices = [];
      room = size;
    }
  }
  if (slices.length > 0) yield joined(slices);
}

function joined(slices: readonly Buffer[]): Buffer {
  const [first] = slices;
  return first !== undefined && slices.length === 1 ? first : Buffer.concat(slices);
}
