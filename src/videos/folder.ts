/**
 * A folder of kept videos, a file each under the id of its avatar. Replicas may share it: a file is there whole or not at
 * all.
 */

import { randomUUID } from 'node:crypto';
import { type FileHandle, open, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { syncDir, writeDurably } from '../disk/durable.js';
import { makeDir } from '../disk/make-dir.js';
import { type Answered, type Asked, answerWith } from './answer.js';
import { PART, sweep, VIDEO } from './sweep.js';

export interface VideoFolderOptions {
  readonly dir: string;
  /** Of one video. */
  readonly maxBytes: number;
  /** Of all of them. Replicas that write at once may exceed it by what is under way. */
  readonly maxTotalBytes: number;
  /** From when it was kept until nobody wants it. */
  readonly keptForMs: number;
  /** Told of what could not be removed or counted; it is tried again. */
  readonly onTrouble: (error: unknown) => void;
}

/** What came of keeping a video. */
export type Kept =
  | { readonly keptBytes: number }
  | { readonly refused: 'too-large' | 'no-room' | 'disk'; readonly reason: string };

/** How often the folder is swept and counted: others may write to it, and remove from it. */
const SWEEP_MS = 600_000;

/** A video that cannot be kept. */
class Refusal extends Error {
  readonly refused: 'too-large' | 'no-room' | 'disk';

  constructor(refused: Refusal['refused'], reason: string) {
    super(reason);
    this.refused = refused;
  }
}

/** @throws the file system's error where `dir` cannot be made or written */
export async function openVideoFolder(options: VideoFolderOptions): Promise<VideoFolder> {
  makeDir(options.dir);
  const probe = join(options.dir, `probe-${randomUUID()}${PART}`);
  await writeDurably(probe, '');
  await rm(probe, { force: true });
  return new VideoFolder(options);
}

export class VideoFolder {
  readonly #options: VideoFolderOptions;
  /** Of videos that are there, as far as is known. */
  #keptBytes = 0;
  /** Spoken for by those that are being written. */
  #heldBytes = 0;
  readonly #counted: Promise<void>;
  #sweeping: Promise<void>;
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(options: VideoFolderOptions) {
    this.#options = options;
    this.#counted = this.#sweep();
    this.#sweeping = this.#counted;
  }

  /** What all videos have, as far as is known. */
  get usedBytes(): number {
    return this.#keptBytes;
  }

  /**
   * Writes a video while it arrives: all of it, or nothing. Two that write the same at once do not meet.
   * @param bytes how long it is, where that is known
   * @throws what `body` throws, and nothing else
   */
  async keep(id: string, body: AsyncIterable<Uint8Array>, bytes: number | null): Promise<Kept> {
    await this.#counted;
    const part = join(this.#options.dir, `${id}.${randomUUID()}${PART}`);
    let heldBytes = 0;
    const hold = (ofBytes: number): void => {
      if (ofBytes <= heldBytes) return;
      this.#check(ofBytes, ofBytes - heldBytes);
      this.#heldBytes += ofBytes - heldBytes;
      heldBytes = ofBytes;
    };
    try {
      hold(bytes ?? 0);
      const keptBytes = await this.#write(part, body, hold);
      const replacedBytes = await sizeOf(this.#file(id));
      await onDisk(rename(part, this.#file(id)));
      await onDisk(syncDir(this.#options.dir)); // A rename is on disk once its folder is.
      this.#keptBytes += keptBytes - replacedBytes;
      return { keptBytes };
    } catch (error) {
      await rm(part, { force: true }).catch(this.#options.onTrouble);
      if (error instanceof Refusal) return { refused: error.refused, reason: error.message };
      throw error;
    } finally {
      this.#heldBytes -= heldBytes;
    }
  }

  /** The video, as its host would answer; `null` where it is not here, or not as long as it should be. */
  open(id: string, keptBytes: number, asked: Asked): Promise<Answered | null> {
    return answerWith(this.#file(id), keptBytes, asked);
  }

  /** Never throws: what stays behind is swept. */
  async remove(id: string): Promise<void> {
    const file = this.#file(id);
    const bytes = await sizeOf(file);
    try {
      await rm(file, { force: true });
      this.#keptBytes = Math.max(0, this.#keptBytes - bytes);
    } catch (error) {
      this.#options.onTrouble(error);
    }
  }

  /** Sweeps no more. Twice is fine. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    await this.#sweeping;
  }

  /** @returns how many bytes there were; they are on disk, under the name they have for now */
  async #write(
    part: string,
    body: AsyncIterable<Uint8Array>,
    hold: (bytes: number) => void,
  ): Promise<number> {
    const file: FileHandle = await onDisk(open(part, 'wx', 0o600));
    let bytes = 0;
    try {
      for await (const chunk of body) {
        bytes += chunk.length;
        hold(bytes);
        await onDisk(file.writeFile(chunk)); // At the end of what is there.
      }
      await onDisk(file.sync());
      return bytes;
    } finally {
      await file.close().catch(() => undefined);
    }
  }

  /** @param moreBytes how many of them are not spoken for yet. @throws {Refusal} */
  #check(bytes: number, moreBytes: number): void {
    const { maxBytes, maxTotalBytes } = this.#options;
    if (bytes > maxBytes) throw new Refusal('too-large', `it is larger than ${maxBytes} bytes`);
    if (this.#keptBytes + this.#heldBytes + moreBytes > maxTotalBytes) {
      throw new Refusal('no-room', `all videos together may have ${maxTotalBytes} bytes`);
    }
  }

  async #sweep(): Promise<void> {
    const { dir, keptForMs, onTrouble } = this.#options;
    try {
      this.#keptBytes = await sweep(dir, keptForMs, onTrouble);
    } catch (error) {
      onTrouble(error);
    }
    if (this.#isClosed) return;
    this.#timer = setTimeout(() => {
      this.#sweeping = this.#sweep();
    }, SWEEP_MS);
    this.#timer.unref();
  }

  #file(id: string): string {
    return join(this.#options.dir, id + VIDEO);
  }
}

async function onDisk<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'an unknown error';
    throw new Refusal('disk', `it cannot be written to disk (${code})`);
  }
}

/** 0 where it is not there. */
async function sizeOf(file: string): Promise<number> {
  return stat(file).then(
    ({ size }) => size,
    () => 0,
  );
}
