import { createReadStream, openAsBlob } from 'node:fs';
import { stat } from 'node:fs/promises';
import { addAbortSignal, type Readable } from 'node:stream';
import { UsageError } from './failure.js';
import type { Session } from './session.js';

/** No image and no sound may have more. Files are not asked: the gateway says what is wrong with them. */
const MAX_PIPED_BYTES = 10_000_000;

/** Where stdin is a socket, it cannot be opened by these names. */
const STDIN = /^(-|\/dev\/stdin|\/dev\/fd\/0|\/proc\/self\/fd\/0)$/;

export const isStdin = (place: string | undefined): boolean => place !== undefined && STDIN.test(place);

/**
 * What an option points at: a URL as it is; a file, of which nothing is read before it is sent; or all that comes from a pipe.
 * @throws {UsageError} that names the option
 */
export async function mediaAt(session: Session, option: string, place: string): Promise<string | Blob> {
  if (/^https?:\/\//i.test(place)) return place;
  const name = `${option} ${place}`;
  if (isStdin(place)) {
    if (session.stdin.isTTY)
      throw new UsageError(`${name}: stdin is a terminal: send a file there, by < FILE`);
    return piped(name, session.stdin, session.signal);
  }
  const found = await stat(place).catch(({ code }: NodeJS.ErrnoException) => {
    throw new UsageError(`${name}: ${code === 'ENOENT' ? 'no such file' : `cannot be read (${code})`}`);
  });
  if (found.isDirectory()) throw new UsageError(`${name}: not a file`);
  if (!found.isFile()) return piped(name, createReadStream(place), session.signal);
  return openAsBlob(place).catch(() => {
    throw new UsageError(`${name}: cannot be read`);
  });
}

/** A pipe can be read once alone, and a request may have to be sent again. */
async function piped(name: string, stream: Readable, signal: AbortSignal): Promise<Blob> {
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let bytes = 0;
  try {
    for await (const chunk of addAbortSignal(signal, stream)) {
      chunks.push(chunk);
      bytes += chunk.byteLength;
      if (bytes > MAX_PIPED_BYTES) break;
    }
  } catch (error) {
    throw new UsageError(`${name}: cannot be read (${(error as NodeJS.ErrnoException).code})`);
  }
  if (bytes > MAX_PIPED_BYTES)
    throw new UsageError(`${name}: has more than 10 MB, the most that media may have`);
  if (bytes === 0) throw new UsageError(`${name}: is empty`);
  return new Blob(chunks);
}
