/**
 * Submissions, each in a file of its own beside the database, which names it under `submission!<id>`.
 *
 * A file is on disk before the batch that names it, and goes once the batch that no longer does is. So a crash leaves
 * files that nobody names, never a name without its file; those are swept when the database is opened, and when it is
 * opened again after a failed write.
 */

import { randomBytes } from 'node:crypto';
import { open, readdir, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { syncDir, writeDurably } from '../../disk/durable.js';
import { makeDir } from '../../disk/make-dir.js';
import { StoreUnavailableError } from '../store.js';
import { Turns } from '../turns.js';
import { decodeSubmission, rangeOf, type SubmissionFile } from './keys.js';
import type { LevelDisk } from './level.js';

/** What the files of this release are called; others are not its to sweep. */
const NAME = /^[0-9a-f]{32}\.submission$/;
/** Of the four threads that do the work of files and of the database, two stay free for short work. */
const WRITES_AT_ONCE = 2;

export class Media {
  readonly #dir: string;
  readonly #turns = new Turns(WRITES_AT_ONCE);
  /** Files of which it is not known yet whether the database will name them. */
  readonly #open = new Set<string>();
  #syncing: Promise<void> = Promise.resolve();
  #nextSync: Promise<void> | null = null;

  constructor(dir: string) {
    this.#dir = dir;
  }

  /** Makes the folder, and removes what the database does not name. @throws StoreUnavailableError */
  async load(disk: LevelDisk): Promise<void> {
    // In this order: a file that is named or let go meanwhile is in the one or the other.
    const files = await this.#files();
    const open = new Set(this.#open);
    const entries = await disk.entries(rangeOf('submission!'));
    const needed = new Set<string>();
    for (const [, value] of entries) {
      const submission = decodeSubmission(value);
      // What is written there in another way may name any of them.
      if (submission === null) return;
      needed.add(submission.file);
    }
    for (const file of files) {
      if (NAME.test(file) && !needed.has(file) && !open.has(file)) await this.remove(file);
    }
  }

  /**
   * Writes the pieces to a file, one behind the other. It is on disk when this resolves, and is left alone until
   * {@link settle} or {@link remove}.
   * @throws StoreUnavailableError with nothing left of it
   */
  async write(pieces: readonly Buffer[], bytes: number): Promise<SubmissionFile> {
    const file = `${randomBytes(16).toString('hex')}.submission`;
    this.#open.add(file);
    try {
      await this.#turns.take(() => writeDurably(join(this.#dir, file), pieces));
      await this.#sync();
      return { file, bytes };
    } catch (cause) {
      await this.remove(file);
      throw new StoreUnavailableError('the data directory cannot be written', { cause });
    }
  }

  /** What becomes of a file is up to the database now. */
  settle(file: string): void {
    this.#open.delete(file);
  }

  /** Never rejects: what cannot be removed is swept later. */
  async remove(file: string): Promise<void> {
    this.#open.delete(file);
    await unlink(join(this.#dir, file)).catch(() => {});
  }

  /** `null` where there is no such file, or it is not of that length. @throws StoreUnavailableError */
  async read({ file, bytes }: SubmissionFile): Promise<Buffer | null> {
    try {
      return await readWhole(join(this.#dir, file), bytes);
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return null;
      throw new StoreUnavailableError('the data directory cannot be read', { cause });
    }
  }

  async #files(): Promise<string[]> {
    try {
      makeDir(this.#dir);
      await syncDir(dirname(this.#dir));
      return await readdir(this.#dir);
    } catch (cause) {
      throw new StoreUnavailableError(`the folder ${this.#dir} cannot be used`, { cause });
    }
  }

  /** All that ask while a sync is under way share the next one. */
  #sync(): Promise<void> {
    this.#nextSync ??= this.#syncing
      .catch(() => {})
      .then(() => {
        this.#nextSync = null;
        this.#syncing = syncDir(this.#dir);
        return this.#syncing;
      });
    return this.#nextSync;
  }
}

async function readWhole(path: string, bytes: number): Promise<Buffer | null> {
  const handle = await open(path, 'r');
  try {
    if ((await handle.stat()).size !== bytes) return null;
    const whole = Buffer.allocUnsafeSlow(bytes);
    for (let at = 0; at < bytes; ) {
      const { bytesRead } = await handle.read(whole, at, bytes - at, at);
      if (bytesRead === 0) return null;
      at += bytesRead;
    }
    return whole;
  } finally {
    await handle.close();
  }
}
