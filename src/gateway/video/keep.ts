import type { Video } from '../../domain/avatar.js';
import { isKeepingOver, keepFailed, kept } from '../../domain/keeping.js';
import { backoffMs } from '../../domain/schedule.js';
import type { VideoAnswer } from '../../modellix/client.js';
import { wordsFor } from '../../modellix/words.js';
import { type Stored, StoreUnavailableError } from '../../store/store.js';
import { erase, past, postpone, write } from '../move.js';
import { type Ports, type Refused, storeClock, type VideoFiles } from '../ports.js';
import { askHost } from './source.js';

/**
 * Keeps the video of a claimed avatar that has succeeded, if there is room, and goes on to what comes then. What is cut off
 * on the way is done again; what cannot be kept is left where Modellix keeps it.
 * @throws {StoreUnavailableError} when what it came to is lost: the lease lapses and it is done again
 */
export async function keep(ports: Ports, stored: Stored): Promise<void> {
  const { avatar, version } = stored;
  const { video, expiresAt } = avatar;
  const { videos, videoOrigins, counts, log } = ports;
  if (video === null || expiresAt === null) throw new Error(`${avatar.id} has no video`);
  const now = storeClock(stored)();
  if (expiresAt <= now) return void (await erase(ports, avatar, version));
  // It succeeded while there was a folder, and now there is none.
  if (videos === null) return goOn(ports, stored, video);
  const giveUp = () => {
    counts.keeping('given_up');
    log.warn({ avatarId: avatar.id, failures: avatar.failures }, 'a video is not kept: its host is away');
    return goOn(ports, stored, video);
  };
  const isOver = isKeepingOver(avatar, now);
  if (isOver && avatar.failures > 0) return giveUp();
  const { origin } = new URL(video.url);
  const grant = videoOrigins.acquire(origin);
  if ('putOffMs' in grant) {
    if (isOver) return giveUp();
    await postpone(ports, stored, Math.min(grant.putOffMs, expiresAt - now));
    return;
  }
  let alive: boolean | null = null;
  try {
    // A video may take longer than other steps.
    const written = await postpone(ports, stored, ports.settings.keepLeaseMs);
    if (!written.saved) return;
    const leased = { ...stored, version: written.version };
    const fetched = await fetchTo(ports, videos, leased, video);
    alive = fetched.kind === 'failed' ? fetched.alive : true;
    await goOnWith(ports, videos, leased, video, fetched);
  } finally {
    grant.release(alive);
  }
}

async function goOnWith(
  ports: Ports,
  videos: VideoFiles,
  stored: Stored,
  video: Video,
  fetched: Fetched,
): Promise<void> {
  const { counts, log, random, stopping, renewals, store } = ports;
  const { avatar } = stored;
  if (fetched.kind === 'failed') {
    // What was cut off because the process stops says nothing: the next process does it at once.
    if (stopping.aborted) return void (await postpone(ports, stored, 0));
    const next = keepFailed(avatar);
    const { reason, waitMs } = fetched;
    log.warn({ avatarId: avatar.id, reason, failures: next.failures }, 'a video could not be kept yet');
    await postpone(ports, stored, Math.max(waitMs, backoffMs(next.failures, random())), next);
    return;
  }
  const known = renewals.known(avatar.id);
  const latest = known?.kind === 'fresh' ? known.video : video;
  if (fetched.kind === 'refused') {
    const { refused, reason } = fetched;
    counts.keeping(refused);
    log.warn({ avatarId: avatar.id, refused, reason }, 'a video is not kept');
    return goOn(ports, stored, latest);
  }
  const { keptBytes } = fetched;
  const next = kept(avatar, { ...latest, keptBytes }, storeClock(stored)());
  const written = await write(ports, stored.version, past(ports, next, storeClock(stored)()));
  if (written.saved) {
    counts.keeping('kept');
    log.info({ avatarId: avatar.id, keptBytes }, 'a video is kept');
  } else if ((await store.find(avatar.caller, avatar.id)) === null) {
    await videos.remove(avatar.id); // It was forgotten meanwhile.
  }
}

async function goOn(ports: Ports, stored: Stored, video: Video): Promise<void> {
  const now = storeClock(stored)();
  const next = kept(stored.avatar, { ...video, keptBytes: null }, now);
  const silent = video.expiresAt === stored.avatar.video?.expiresAt;
  await write(ports, stored.version, { ...past(ports, next, now), silent });
}

/** What came of one try to have a video. `alive`: whether its host is there; `null` where that was not seen. */
type Fetched =
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
async function fetchTo(ports: Ports, videos: VideoFiles, stored: Stored, video: Video): Promise<Fetched> {
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
        return await writeTo(videos, stored.avatar.id, answer, video.bytes ?? 1);
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

async function writeTo(
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
