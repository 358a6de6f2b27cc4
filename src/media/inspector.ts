import { extname } from 'node:path';
import type { Piscina } from 'piscina';
import type { AudioFacts, ImageFacts } from '../domain/avatar.js';
import type { InspectedFile } from '../domain/media/inspected.js';
import { MediaError } from '../domain/media/media.js';
import type { Report, Task } from './inspection.js';

/** One for each kind of media of a request. An inspection takes milliseconds, so few threads serve many callers. */
const THREADS = 2;
/** Far above what any file takes: one that comes near it has found a way to hold up a thread. */
const TIMEOUT_MS = 60_000;

/** Inspects media in threads of its own, so that the event loop has time for others. */
export class ThreadedInspector {
  /** Begun with the first inspection: a good part of the start would go into it. */
  #threads: Promise<Piscina<Task, Report>> | null = null;

  /**
   * @param bytes of the file, in base64 where `encoded`. They are given away: their memory moves to the thread and comes
   * back with the result. They must share it with nothing else.
   * @throws {MediaError}
   */
  async image(bytes: Buffer, encoded: boolean): Promise<InspectedFile<ImageFacts>> {
    return this.#inspect<ImageFacts>({ kind: 'image', bytes, encoded });
  }

  /** As {@link image}. @throws {MediaError} */
  async sound(bytes: Buffer, encoded: boolean): Promise<InspectedFile<AudioFacts>> {
    return this.#inspect<AudioFacts>({ kind: 'sound', bytes, encoded });
  }

  async close(): Promise<void> {
    await (await this.#threads)?.close();
  }

  async #inspect<Facts>(task: Task): Promise<InspectedFile<Facts>> {
    const late = AbortSignal.timeout(TIMEOUT_MS);
    const transferList = [task.bytes.buffer as ArrayBuffer];
    this.#threads ??= startThreads();
    const threads = await this.#threads;
    const { facts, fault, bytes, ...rest } = await threads
      .run(task, { transferList, signal: late })
      .catch((cause: unknown) => {
        throw late.aborted ? new MediaError('takes too long to inspect', { cause }) : cause;
      });
    if (fault !== null) throw new MediaError(fault);
    const back = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    return {
      facts: facts as Facts,
      bytes: back,
      encoded: rest.encoded,
      digest: rest.digest,
      forgiven: rest.forgiven,
    };
  }
}

async function startThreads(): Promise<Piscina<Task, Report>> {
  const { Piscina } = await import('piscina');
  return new Piscina({
    // As this file is, JavaScript or not yet: what loads the others does not find it by another name.
    filename: new URL(`./inspection${extname(import.meta.url)}`, import.meta.url).href,
    // Each begins with the first inspection that needs it, and stays.
    minThreads: 0,
    maxThreads: THREADS,
    idleTimeout: Number.POSITIVE_INFINITY,
  });
}
