/**
 * Submissions that are too large for the database, each in a file of its own in DATA_DIR/media.
 *
 * A file is on disk before the write that names it, and goes once the write that no longer does is. So a crash leaves files that
 * nobody names, never a name without its file; those are swept when the store is opened.
 */

import { randomBytes } from 'node:crypto';
import { readdir, readFile, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { syncDir, writeDurably } from '../../disk/durable.js';
import { makeDir } from '../../disk/make-dir.js';
import { Semaphore } from '../semaphore.js';
import { StoreUnavailableError } from '../store.js';

/** What the files of this release are called; others are not its to sweep. */
const NAME = /^[0-9a-f]{32}\.submission$/;
/** Of the four threads that do the work of files, two stay free for short work. */
const WRITES_AT_ONCE = 2;

export interface MediaFile {
  readonly file: string;
  readonly size: number;
  /** CRC-32 of the bytes. */
  readonly sum: number;
}

export class Media {
  readonly #dir: string;
  readonly #semaphore = new Semaphore(WRITES_AT_ONCE);

  constructor(dir: string) {
    this.#dir = dir;
  }

  /** Makes the folder, and removes what nobody names. @throws StoreUnavailableError */
  async sweep(named: readonly string[]): Promise<void> {
    try {
      makeDir(this.#dir);
      await syncDir(join(this.#dir, '..'));
      const needed = new Set(named);
      for (const file of await readdir(this.#dir)) {
        if (NAME.test(file) && !needed.has(file)) await this.remove(file);
      }
    } catch (cause) {
      throw new StoreUnavailableError(`the folder ${this.#dir} cannot be used`, { cause });
    }
  }

  /** Writes the pieces to a file, one behind the other; it is on disk when this resolves. @throws StoreUnavailableError with nothing left of it */
  async write(pieces: readonly Buffer[]): Promise<MediaFile> {
    const file = `${randomBytes(16).toString('hex')}.submission`;
    const size = pieces.reduce((sum, { length }) => sum + length, 0);
    const sum = pieces.reduce((sum, piece) => crc32(piece, sum), 0);
    try {
      await this.#semaphore.run(async () => {
        await writeDurably(join(this.#dir, file), pieces);
        await syncDir(this.#dir);
      });
      return { file, size, sum };
    } catch (cause) {
      await this.remove(file);
      throw new StoreUnavailableError('the data directory cannot be written', { cause });
    }
  }

  /** Never rejects: what cannot be removed is swept later. */
  async remove(file: string): Promise<void> {
    await unlink(join(this.#dir, file)).catch(() => {});
  }

  /** `null` where there is no such file, or it is not as it was written. @throws StoreUnavailableError */
  async read({ file, size, sum }: MediaFile): Promise<Buffer | null> {
    try {
      const bytes = await readFile(join(this.#dir, file));
      return bytes.length === size && crc32(bytes) === sum ? bytes : null;
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return null;
      throw new StoreUnavailableError('the data directory cannot be read', { cause });
    }
  }
}
