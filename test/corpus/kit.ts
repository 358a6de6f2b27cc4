/** What the makers of the corpus work with: pictures and sounds from the programs, each made once. */

import { randomUUID } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { convert, ffmpeg, type Outcome } from './tools.js';

/** A file of the corpus. Its name says what it is, but neither the judge nor the gateway sees the name. */
export interface CorpusFile {
  readonly name: string;
  /** Which of the two fields it is sent in. */
  readonly kind: 'image' | 'audio';
  readonly make: (kit: Kit) => Promise<Buffer> | Buffer;
}

/** A list of files by name, all for one field. */
export function files(
  kind: CorpusFile['kind'],
  makers: Readonly<Record<string, CorpusFile['make']>>,
): readonly CorpusFile[] {
  return Object.entries(makers).map(([name, make]) => ({ name, kind, make }));
}

export class Kit {
  readonly #dir: string;
  readonly #made = new Map<string, Promise<Buffer>>();

  /** Keeps what the programs write, and only that, in the folder. */
  constructor(dir: string) {
    this.#dir = dir;
  }

  /** What `convert ARGS FORMAT:-` writes. */
  image(format: string, ...args: readonly string[]): Promise<Buffer> {
    return this.#once([format, ...args], async () => (await must(convert(...args, `${format}:-`))).stdout);
  }

  /** What `ffmpeg ARGS FILE.EXT` writes: a file and not a pipe, since some formats are written back to front. */
  sound(ext: string, ...args: readonly string[]): Promise<Buffer> {
    return this.#once([ext, ...args], async () => {
      const file = join(this.#dir, `${randomUUID()}.${ext}`);
      await must(ffmpeg(...args, '-bitexact', file));
      return readFile(file);
    });
  }

  /** What ffmpeg writes with bytes as its last input; `args` come after it. */
  async again(source: Buffer | Promise<Buffer>, ext: string, ...args: readonly string[]): Promise<Buffer> {
    const file = join(this.#dir, randomUUID());
    await writeFile(file, await source);
    return this.sound(ext, '-i', file, ...args);
  }

  /** The path of bytes on disk, for where ffmpeg wants a second input. */
  async path(bytes: Buffer): Promise<string> {
    const file = join(this.#dir, randomUUID());
    await writeFile(file, bytes);
    return file;
  }

  #once(key: readonly string[], make: () => Promise<Buffer>): Promise<Buffer> {
    const name = JSON.stringify(key);
    const made = this.#made.get(name) ?? make();
    this.#made.set(name, made);
    return made;
  }
}

async function must(running: Promise<Outcome>): Promise<Outcome> {
  const outcome = await running;
  if (!outcome.ok) throw new Error(`the corpus cannot be made: ${outcome.stderr}`);
  return outcome;
}
