import type { Video } from '../domain/avatar.js';
import type { VideoAnswer } from '../modellix/client.js';
import { wordsFor } from '../modellix/words.js';
import { type Stored, StoreUnavailableError } from '../store/store.js';
import { askHost } from './host.js';
import type { Ports, Refused, VideoFiles } from './ports.js';

/** What came of one try to have a video. `alive`: whether its host is there; `null` where that was not seen. */
export type Fetched =
  | { readonly kind: 'kept'; readonly keptBytes: number }
  | { readonly kind: 'refused'; readonly refused: Refused | 'gone'; readonly reason: string }
  | {
      readonly kind: 'failed';
      readonly reason: string;
      readonly waitMs: number;
      readonly alive: boolean | null;
    };

type Stream = Extract<VideoAnswer, { kind: 'ok' }>;

/** Has the video of an avatar written while its host sends it; within `keepTryMs`, and until the process stops. */
export async function fetchTo(
  ports: Ports,
  videos: VideoFiles,
  stored: Stored,
  video: Video,
): Promise<Fetched> {
  const { stopping, settings } = ports;
  const stop = new AbortController();
  const cancel = (): void => stop.abort();
  const timer = setTimeout(cancel, settings.keepTryMs);
  stopping.addEventListener('abort', cancel, { once: true });
  try {
    if (stopping.aborted) cancel();
    const answer = await askHost(ports, stored, video, { method: 'GET', signal: stop.signal });
    switch (answer.kind) {
      case 'ok':
        return await write(videos, stored.avatar.id, answer, video.bytes ?? 1);
      case 'gone':
        return { kind: 'refused', refused: 'gone', reason: 'Modellix has dropped it' };
      case 'later':
        return failed(answer.reason, answer.waitMs, null);
      case 'range-not-satisfiable':
        return failed('its host answered 416');
      case 'unavailable':
        return failed(answer.reason);
    }
  } catch (error) {
    if (error instanceof StoreUnavailableError) throw error;
    return failed(stop.signal.aborted ? `not done within ${settings.keepTryMs} ms` : wordsFor(error));
  } finally {
    clearTimeout(timer);
    stopping.removeEventListener('abort', cancel);
  }
}

async function write(
  videos: VideoFiles,
  id: string,
  { status, headers, body }: Stream,
  leastBytes: number,
): Promise<Fetched> {
  try {
    const encoding = headers['content-encoding'] ?? 'identity';
    if (status !== 200) return failed(`its host answered ${status} where all of it was asked for`);
    if (encoding !== 'identity') return failed(`its host sent it in ${encoding}`);
    const length = headers['content-length'];
    const whole = wholeVideo(body, leastBytes);
    const keeping = await videos.keep(id, whole, length === undefined ? null : Number(length));
    return 'refused' in keeping ? { kind: 'refused', ...keeping } : { kind: 'kept', ...keeping };
  } catch (error) {
    if (error instanceof NoVideoError) return failed(error.message);
    throw error;
  } finally {
    body.on('error', () => undefined).destroy();
  }
}

/** The message may be shown. */
class NoVideoError extends Error {}

/** How HTML, XML and JSON begin, perhaps behind a byte order mark; no video does. */
const TEXT = /^(?:\xef\xbb\xbf)?\s*[<{]/;

/**
 * Hosts and what is before them answer 200 with a page, with nothing, or with a part for what they do not have yet. What is
 * longer than Modellix said is taken: it may count in other units.
 */
async function* wholeVideo(body: AsyncIterable<Uint8Array>, leastBytes: number): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  for await (const chunk of body) {
    if (bytes === 0 && TEXT.test(Buffer.from(chunk).toString('latin1', 0, 64))) {
      throw new NoVideoError('its host sent a text instead');
    }
    bytes += chunk.length;
    yield chunk;
  }
  if (bytes < leastBytes) throw new NoVideoError(`its host sent ${bytes} of ${leastBytes} bytes`);
}

function failed(reason: string, waitMs = 0, alive: boolean | null = false): Fetched {
  return { kind: 'failed', reason, waitMs, alive };
}
