import { setTimeout as pause } from 'node:timers/promises';
import { type Avatar, GatewayError } from '../client/index.js';
import { statusText } from './avatar-text.js';
import { EXIT, type ExitCode } from './exit-codes.js';
import { AdvisedError } from './failure.js';
import type { Progress, Stage } from './progress.js';
import type { Session } from './session.js';
import { duration, shown } from './text.js';

const PLACE_EVERY_MS = 2_000;

interface WaitOptions {
  /** In seconds; unset: as long as it takes. */
  readonly timeout?: number;
  /** Called with each state that is new, the first and the last as well. */
  readonly onChange?: (avatar: Avatar) => void;
}

/** Shows how far an avatar is until it is final. */
export async function waitFor(session: Session, id: string, options: WaitOptions): Promise<Avatar> {
  const { client, signal } = session;
  const { timeout, onChange } = options;
  const progress = session.progress();
  const over = new AbortController();
  let last: Avatar | null = null;
  const show = (avatar: Avatar) => {
    last = avatar;
    progress.show(stageOf(avatar, progress));
  };
  const isQueued = () => last?.status === 'queued';
  void followPlace(session, id, isQueued, show, AbortSignal.any([signal, over.signal])).catch(
    () => undefined,
  );
  try {
    const avatar = await client.wait(id, {
      signal,
      timeoutMs: timeout === undefined ? undefined : timeout * 1000,
      onChange(avatar) {
        show(avatar);
        onChange?.(avatar);
      },
    });
    progress.keep();
    return avatar;
  } catch (error) {
    if (error instanceof GatewayError && error.status < 500) throw error;
    throw new AdvisedError(error, `${id} goes on; to wait for it again: avatar-gateway watch ${id}`);
  } finally {
    over.abort();
    progress.end();
  }
}

/** Whoever waits is not told of the place in the queue, which is no change of the avatar: it is asked for. */
async function followPlace(
  { client }: Session,
  id: string,
  isQueued: () => boolean,
  show: (avatar: Avatar) => void,
  signal: AbortSignal,
): Promise<never> {
  for (;;) {
    await pause(PLACE_EVERY_MS, undefined, { signal });
    if (!isQueued()) continue;
    const avatar = await client.get(id, { signal }).catch(() => null);
    if (avatar?.status === 'queued' && isQueued()) show(avatar);
  }
}

function stageOf(avatar: Avatar, progress: Progress): Stage {
  const startAt = Date.parse(avatar.queue?.estimated_start_at ?? '');
  const madeAt = Date.parse(avatar.created_at);
  const toStart = () => startAt - Date.now();
  return {
    name: shown(avatar.id),
    text: statusText(avatar),
    live: () => {
      const start = toStart() > 0 ? `, may start in ${duration(toStart())}` : '';
      return `${duration(progress.elapsedMs)}${start}`;
    },
    // How long the rest takes is not known.
    share: () => (toStart() > 0 ? 1 - toStart() / Math.max(1, startAt - madeAt) : null),
  };
}

/** Says how it ended, and what to end with. */
export function ended(session: Session, { id, status, error }: Avatar): ExitCode {
  if (status === 'succeeded') return EXIT.ok;
  const why = error === null ? '' : `: ${error.title}: ${error.detail}`;
  session.complain(`${id} ended as ${status}${why}`);
  return EXIT.failed;
}
