/** The simulator's ledger as it grows: a file, so that nothing of it is lost with a process. */

import { type FileHandle, open } from 'node:fs/promises';
import type { SubmitEntry } from '../simulator/simulator.js';
import type { Book } from './book.js';

export class LedgerTail {
  readonly #file: FileHandle;
  readonly #book: Book;
  #rest = '';
  #turn: Promise<void> = Promise.resolve();

  private constructor(file: FileHandle, book: Book) {
    this.#file = file;
    this.#book = book;
  }

  static async open(path: string, book: Book): Promise<LedgerTail> {
    return new LedgerTail(await open(path, 'r'), book);
  }

  /** Enters the tasks that were made since the last call into the book. */
  catchUp(): Promise<void> {
    this.#turn = this.#turn.then(() => this.#read());
    return this.#turn;
  }

  async close(): Promise<void> {
    await this.#turn;
    await this.#file.close();
  }

  async #read(): Promise<void> {
    const lines = (this.#rest + (await this.#more())).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) {
      const entry = JSON.parse(line) as { type: 'call' } | ({ type: 'submit' } & SubmitEntry);
      if (entry.type === 'submit') this.#book.paid(entry);
    }
  }

  /** A read goes on where the last one ended. */
  async #more(): Promise<string> {
    const chunks: Buffer[] = [];
    for (;;) {
      const { bytesRead, buffer } = await this.#file.read(Buffer.alloc(65_536), 0, 65_536, null);
      if (bytesRead === 0) return Buffer.concat(chunks).toString();
      chunks.push(buffer.subarray(0, bytesRead));
    }
  }
}
