import { randomBytes } from 'node:crypto';
import { access, constants, open, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { CutOffError, FileError, UsageError } from './failure.js';
import type { Session } from './session.js';
import { size } from './text.js';

/** How often a video is asked for that breaks off. */
const ATTEMPTS = 3;

/**
 * Whether a video can be written there: asked before an avatar is paid for.
 * @throws {UsageError}
 */
export async function checkOut(file: string, isForced: boolean): Promise<void> {
  const found = await stat(file).catch(() => null);
  if (found?.isDirectory()) throw new UsageError(`--out ${file}: is a folder`);
  if (found !== null && !isForced) {
    throw new UsageError(`--out ${file}: is there already; --force writes over it`);
  }
  await access(dirname(file), constants.W_OK).catch(({ code }: NodeJS.ErrnoException) => {
    throw new UsageError(
      `--out ${file}: its folder ${code === 'ENOENT' ? 'is not there' : `cannot be written to (${code})`}`,
    );
  });
}

/**
 * Writes the video of an avatar. It gets its name when it is whole and on disk: until then it is beside, under another.
 * @throws {FileError | CutOffError}
 */
export async function download(session: Session, id: string, file: string, isForced: boolean): Promise<void> {
  const part = join(dirname(file), `.${basename(file)}.${randomBytes(4).toString('hex')}.part`);
  try {
    const bytes = await attempts(session, id, part);
    // Looked at again: an avatar takes minutes.
    if (!isForced && (await stat(file).catch(() => null)) !== null) {
      throw new FileError(`${file} was made meanwhile by somebody else`);
    }
    await rename(part, file);
    session.note(`wrote ${file}, ${size(bytes)}`);
  } catch (error) {
    await rm(part, { force: true });
    const { code, syscall } = error as NodeJS.ErrnoException;
    // Errors of the file system alone have both, and are not of the client.
    throw code !== undefined && syscall !== undefined
      ? new FileError(`${file} cannot be written (${code})`)
      : error;
  }
}

async function attempts(session: Session, id: string, part: string): Promise<number> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await fetchInto(session, id, part);
    } catch (error) {
      if (!(error instanceof CutOffError) || attempt === ATTEMPTS || session.signal.aborted) throw error;
    }
  }
}

async function fetchInto({ client, signal, progress }: Session, id: string, part: string): Promise<number> {
  const { body, contentLength } = await client.video(id, { signal });
  const line = progress();
  let bytes = 0;
  const stage = {
    name: id,
    text: 'video',
    live: () => `${size(bytes)}${contentLength === null ? '' : ` of ${size(contentLength)}`}`,
    share: () => (contentLength === null ? null : bytes / contentLength),
  };
  const handle = await open(part, 'w');
  try {
    for await (const chunk of arriving(body)) {
      await handle.appendFile(chunk);
      bytes += chunk.byteLength;
      line.show(stage);
    }
    await handle.sync();
  } finally {
    line.end();
    await handle.close();
  }
  if (contentLength !== null && bytes !== contentLength) {
    throw new CutOffError(`The video broke off after ${bytes} of ${contentLength} bytes`);
  }
  return bytes;
}

/** What goes wrong on the way is told from what goes wrong with the file. */
async function* arriving(body: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* body;
  } catch (error) {
    const { cause, message } = error as Error;
    // What happened is in the cause of an error of fetch.
    const words = cause instanceof Error ? cause.message : message;
    throw new CutOffError(`The video broke off: ${words}`, { cause: error });
  }
}
