import { WaitTimeoutError } from './errors.js';
import { isPassing, LONGEST_TIMER_MS, pause, pauseMs } from './retry.js';
import type { Avatar } from './schema.js';
import type { Send } from './transport.js';
import type { AvatarStatus, WaitOptions } from './types.js';

/** Of one long poll: well below the minute after which proxies give up. */
const POLL_SECONDS = 30;
/** Where the gateway has no room for those who wait, it answers at once; a proxy may take the ETag away. */
const UNWAITED_MS = 5_000;

const UNFINISHED: ReadonlySet<AvatarStatus> = new Set(['queued', 'submitting', 'pending', 'processing']);

export function isFinal({ status }: Avatar): boolean {
  return !UNFINISHED.has(status);
}

interface Wait extends WaitOptions {
  readonly id: string;
  readonly path: string;
  readonly maxRetries: number;
}

interface Look {
  /** `null`: it is as it was. */
  readonly avatar: Avatar | null;
  readonly etag: string | null;
  /** The next look will wait, or this one did. Else there would be no pause between them. */
  readonly canGoOn: boolean;
}

/** See `AvatarGatewayClient.wait`. Without a time of its own, it wants to have seen the avatar before it is patient. */
export async function waitForEnd(send: Send, wait: Wait): Promise<Avatar> {
  const { id, timeoutMs = Number.POSITIVE_INFINITY, signal, onChange, maxRetries } = wait;
  const patience = new AbortController();
  const leave = () => patience.abort(signal?.reason);
  signal?.addEventListener('abort', leave);
  const hasEnd = timeoutMs !== Number.POSITIVE_INFINITY;
  const timer = hasEnd
    ? setTimeout(() => patience.abort(), Math.min(timeoutMs, LONGEST_TIMER_MS))
    : undefined;
  let last: Avatar | null = null;
  let etag: string | null = null;
  let failures = 0;
  let trouble: unknown;
  try {
    signal?.throwIfAborted();
    for (;;) {
      try {
        const look: Look = await lookAt(send, wait.path, etag, patience.signal);
        failures = 0;
        trouble = undefined;
        // Its place in the queue changes without its ETag: that is looked up now and then.
        etag = look.avatar === null && last?.status === 'queued' ? null : look.etag;
        if (look.avatar !== null) {
          last = look.avatar;
          onChange?.(last);
          if (isFinal(last)) return last;
        }
        if (!look.canGoOn) await pause(UNWAITED_MS * (0.5 + Math.random() / 2), patience.signal);
      } catch (error) {
        const isHopeless = last === null && !hasEnd && failures >= maxRetries;
        if (patience.signal.aborted || !isPassing(error) || isHopeless) throw error;
        trouble = error;
        await pause(pauseMs(failures++, error), patience.signal);
      }
    }
  } catch (error) {
    signal?.throwIfAborted();
    if (patience.signal.aborted) throw new WaitTimeoutError(id, timeoutMs, last, trouble);
    throw error;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', leave);
  }
}

/** The first look is answered at once; one with an ETag as soon as there is news. */
function lookAt(send: Send, path: string, etag: string | null, signal: AbortSignal): Promise<Look> {
  const waitSeconds = etag === null ? 0 : POLL_SECONDS;
  const headers = etag === null ? {} : { prefer: `wait=${waitSeconds}`, 'if-none-match': etag };
  return send({ method: 'GET', path, headers, waitSeconds, signal }, async (response) => ({
    avatar: response.status === 304 ? null : ((await response.json()) as Avatar),
    etag: response.headers.get('etag'),
    canGoOn: response.headers.has(etag === null ? 'etag' : 'preference-applied'),
  }));
}
