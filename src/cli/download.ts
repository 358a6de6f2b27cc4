import { CutOffError, FileError } from './failure.js';
import type { Out, Sink } from './out.js';
import type { Progress } from './progress.js';
import type { Session } from './session.js';
import { size } from './text.js';

/** How often a video is asked for that breaks off. */
const ATTEMPTS = 3;

/**
 * Writes the video of an avatar.
 * @throws {FileError | CutOffError}
 */
export async function download(session: Session, id: string, out: Out): Promise<void> {
  const line = session.progress();
  try {
    const sink = await out.open();
    const bytes = await whole(session, id, sink, line).catch(async (error: unknown) => {
      await sink.abandon();
      throw error;
    });
    line.end();
    session.note(`wrote ${out.name}, ${size(bytes)}`);
  } catch (error) {
    const { code, syscall } = error as NodeJS.ErrnoException;
    // Errors of the file system alone have both, and are not of the client. That nobody reads any more is no fault of a file.
    throw code !== undefined && syscall !== undefined && code !== 'EPIPE'
      ? new FileError(`${out.name} cannot be written (${code})`)
      : error;
  } finally {
    line.end();
  }
}

/** What a sink has of a video. */
interface Part {
  bytes: number;
  /** Of the whole video, where that is known. */
  total: number | null;
}

async function whole(session: Session, id: string, sink: Sink, line: Progress): Promise<number> {
  const part: Part = { bytes: 0, total: null };
  const stage = {
    name: id,
    text: 'video',
    live: () => `${size(part.bytes)}${part.total === null ? '' : ` of ${size(part.total)}`}`,
    share: () => (part.total === null ? null : part.bytes / part.total),
  };
  const onBytes = () => line.show(stage);
  for (let attempt = 1; ; attempt += 1) {
    try {
      await continued(session, id, sink, part, onBytes);
      break;
    } catch (error) {
      if (!(error instanceof CutOffError) || attempt === ATTEMPTS || session.signal.aborted) throw error;
    }
  }
  await sink.finish();
  return part.bytes;
}

/** Goes on where it broke off: what is written cannot be taken back everywhere. The video of an avatar never changes. */
async function continued(
  { client, signal }: Session,
  id: string,
  sink: Sink,
  part: Part,
  onBytes: () => void,
): Promise<void> {
  const range = part.bytes === 0 ? undefined : `bytes=${part.bytes}-`;
  const { body, status, contentLength } = await client.video(id, { signal, range });
  // Whoever does not know ranges sends all of it.
  let known = status === 206 ? 0 : part.bytes;
  part.total = contentLength === null ? null : contentLength + part.bytes - known;
  for await (const chunk of arriving(body)) {
    const fresh = chunk.subarray(known);
    known -= chunk.byteLength - fresh.byteLength;
    if (fresh.byteLength === 0) continue;
    await sink.write(fresh);
    part.bytes += fresh.byteLength;
    onBytes();
  }
  if (part.total !== null && part.bytes !== part.total) {
    throw new CutOffError(`The video broke off after ${part.bytes} of ${part.total} bytes`);
  }
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
