import type { Avatar } from '../domain/avatar.js';
import { ProblemError } from '../problems.js';
import { StoreUnavailableError } from '../store/store.js';
import { type Accepted, accept } from './accept.js';
import type { Ports } from './ports.js';
import type { AvatarRequest } from './request.js';
import { type Finding, resolve } from './resolve.js';
import { openVideo, type VideoRequest, type VideoStream, videoUrl } from './video.js';
import { Worker } from './worker.js';

/** What the service does, for whoever speaks to callers. Each verb throws {@link ProblemError} and nothing else by intent. */
export interface Gateway {
  create(request: AvatarRequest): Promise<Accepted>;
  /** The caller's avatar; `not-found` alike for what is unknown and what is another's. Never an upstream call. */
  read(caller: string, id: string): Promise<Avatar>;
  /** Ends the doubt about an `unconfirmed` avatar. */
  resolve(caller: string, id: string, finding: Finding): Promise<Avatar>;
  /** Where Modellix keeps the video of a finished avatar: a signed URL. */
  videoUrl(caller: string, id: string): Promise<string>;
  /** The bytes of a finished avatar's video. */
  video(caller: string, id: string, request: VideoRequest): Promise<VideoStream>;
  /** Resolves when avatars can be accepted. */
  ready(): Promise<void>;
  start(): void;
  /** Not ready from now on; nothing new is claimed. */
  stop(): void;
  /** Resolves when the work under way is done. Call {@link stop} first. */
  drained(): Promise<void>;
}

const RETRY_AFTER = { 'retry-after': '2' };

export function createGateway(parts: Omit<Ports, 'stopping'>): Gateway {
  const stopping = new AbortController();
  const ports: Ports = { ...parts, stopping: stopping.signal };
  const worker = new Worker(ports);

  async function read(caller: string, id: string): Promise<Avatar> {
    const stored = await orUnavailable(ports.store.find(caller, id));
    if (stored === null) throw new ProblemError('not-found', 'No avatar of yours has this id.');
    return stored.avatar;
  }

  return {
    create: (request) => orUnavailable(accept(ports, worker, request)),
    read,
    async resolve(caller, id, finding) {
      const avatar = await orUnavailable(resolve(ports, caller, id, finding));
      worker.wake();
      return avatar;
    },
    videoUrl: async (caller, id) => videoUrl(await read(caller, id)),
    video: async (caller, id, request) => openVideo(ports.modellix, await read(caller, id), request),
    async ready() {
      if (stopping.signal.aborted) throw new ProblemError('not-ready', 'The gateway is stopping.');
      try {
        await ports.store.ping();
      } catch (cause) {
        throw new ProblemError('not-ready', 'The task store cannot be reached.', {
          cause,
          headers: RETRY_AFTER,
        });
      }
    },
    start: () => worker.start(),
    stop: () => stopping.abort(),
    drained: () => worker.close(),
  };
}

async function orUnavailable<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (cause) {
    if (!(cause instanceof StoreUnavailableError)) throw cause;
    const detail =
      'The task store cannot be reached. Try again; with an Idempotency-Key that is always safe.';
    throw new ProblemError('store-unavailable', detail, { cause, headers: RETRY_AFTER });
  }
}
