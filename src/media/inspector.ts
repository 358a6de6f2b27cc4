import { extname } from 'node:path';
import { Piscina } from 'piscina';
import type { AudioFacts, ImageFacts } from '../domain/avatar.js';
import type { Looked } from '../domain/media/looked.js';
import { MediaError } from '../domain/media/media.js';
import type { Report, Task } from './inspection.js';

/** One for each kind of media of a request. A look takes milliseconds, so few threads serve many callers. */
const THREADS = 2;
/** Far above what any file takes: one that comes near it has found a way to hold up a thread. */
const TIMEOUT_MS = 60_000;

/** Looks at media in threads of its own, so that the event loop has time for others. */
export class ThreadedInspector {
  readonly #threads = new Piscina<Task, Report>({
    // As this file is, JavaScript or not yet: what loads the others does not find it by another name.
    filename: new URL(`./inspection${extname(import.meta.url)}`, import.meta.url).href,
    // Each begins with the first look that needs it, and stays.
    minThreads: 0,
    maxThreads: THREADS,
    idleTimeout: Number.POSITIVE_INFINITY,
  });

  /**
   * @param bytes of the file, in base64 where `encoded`. They are given away: their memory moves to the thread and comes
   * back with the result. They must share it with nothing else.
   * @throws {MediaError}
   */
  async image(bytes: Buffer, encoded: boolean): Promise<Looked<ImageFacts>> {
    return this.#look<ImageFacts>({ kind: 'image', bytes, encoded });
  }

  /** As {@link image}. @throws {MediaError} */
  async sound(bytes: Buffer, encoded: boolean): Promise<Looked<AudioFacts>> {
    return this.#look<AudioFacts>({ kind: 'sound', bytes, encoded });
  }

  async close(): Promise<void> {
    await this.#threads.close();
  }

  async #look<Facts>(task: Task): Promise<Looked<Facts>> {
    const late = AbortSignal.timeout(TIMEOUT_MS);
    const transferList = [task.bytes.buffer as ArrayBuffer];
    const { facts, fault, digest, bytes } = await this.#threads
      .run(task, { transferList, signal: late })
      .catch((cause: unknown) => {
        throw late.aborted ? new MediaError('takes too long to look at', { cause }) : cause;
      });
    if (fault !== null) throw new MediaError(fault);
    return {
      facts: facts as Facts,
      bytes: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length),
      digest,
    };
  }
}
