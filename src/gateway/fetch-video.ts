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
        return await write(videos, stored.avatar.id, answer);
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

async function write(videos: VideoFiles, id: string, { status, headers, body }: Stream): Promise<Fetched> {
  try {
    const encoding = headers['content-encoding'] ?? 'identity';
    if (status !== 200) return failed(`its host answered ${status} where all of it was asked for`);
    if (encoding !== 'identity') return failed(`its host sent it in ${encoding}`);
    const length = headers['content-length'];
    const keeping = await videos.keep(id, body, length === undefined ? null : Number(length));
    return 'refused' in keeping ? { kind: 'refused', ...keeping } : { kind: 'kept', ...keeping };
  } finally {
    body.on('error', () => undefined).destroy();
  }
}

function failed(reason: string, waitMs = 0, alive: boolean | null = false): Fetched {
  return { kind: 'failed', reason, waitMs, alive };
}
