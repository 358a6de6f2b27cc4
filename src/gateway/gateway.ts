import { setMaxListeners } from 'node:events';
import type { KeyLimits } from '../domain/budget.js';
import { ProblemError } from '../problems.js';
import { type Found, StoreUnavailableError } from '../store/store.js';
import { accept } from './accept.js';
import { cancel } from './cancel.js';
import { Changes } from './changes.js';
import { type Checked, check } from './check.js';
import { type DeliveryLog, deliveryLog } from './delivery-log.js';
import { forget } from './forget.js';
import { Limits } from './limits.js';
import { type ListQuery, list, type SeenPage } from './list.js';
import type { Hold } from './memory.js';
import type { Ports } from './ports.js';
import { Receivers } from './receivers.js';
import { redeliver } from './redeliver.js';
import type { AvatarRequest, CheckRequest } from './request.js';
import { type Finding, resolve } from './resolve.js';
import { type Seen, seen } from './seen.js';
import { Timing, type TimingSettings } from './timing.js';
import { type UpstreamState, upstreamState } from './upstream.js';
import { openVideo, type VideoRequest, type VideoStream, videoUrl } from './video.js';
import { Worker } from './worker.js';

/** What the service does, for whoever speaks to callers. Each verb throws {@link ProblemError} and nothing else by intent. */
export interface Gateway {
  create(request: AvatarRequest): Promise<Seen & { readonly replayed: boolean }>;
  /** Everything that {@link create} does before anything is stored or spent. */
  check(request: CheckRequest): Promise<Checked>;
  /** Speaks for memory before a body is read. @throws {ProblemError} `overloaded` */
  holdMemory(bytes: number): Hold;
  /** The caller's avatar; `not-found` alike for what is unknown and what is another's. Never an upstream call. */
  read(caller: string, id: string): Promise<Seen>;
  /** The caller's avatars, a page at a time. */
  list(caller: string, query: ListQuery): Promise<SeenPage>;
  /** Ends an avatar that was not sent. */
  cancel(caller: string, id: string): Promise<Seen>;
  /** Removes a final avatar and all that belongs to it. */
  forget(caller: string, id: string): Promise<void>;
  /** Ends the doubt about an `unconfirmed` avatar. */
  resolve(caller: string, id: string, finding: Finding): Promise<Seen>;
  /** How telling the avatar's receiver went. */
  deliveries(caller: string, id: string): Promise<DeliveryLog>;
  /** Has the avatar's receiver told again. */
  redeliver(caller: string, id: string): Promise<Seen>;
  /** Where Modellix keeps the video of a finished avatar: a signed URL. */
  videoUrl(caller: string, id: string): Promise<string>;
  /** The bytes of a finished avatar's video. */
  video(caller: string, id: string, request: VideoRequest): Promise<VideoStream>;
  /** Resolves when avatars can be accepted. */
  ready(): Promise<void>;
  /** How the upstream and what waits for it stand; `null` while the store cannot say. */
  upstream(): Promise<UpstreamState | null>;
  start(): void;
  /** Not ready from now on; nothing new is claimed. */
  stop(): void;
  /** Resolves when the work under way is done. Call {@link stop} first. */
  drained(): Promise<void>;
}

const RETRY_AFTER = { 'retry-after': '2' };

/** What a gateway is made of, besides what it makes itself. */
export interface GatewayParts extends Omit<Ports, 'stopping' | 'limits' | 'timing' | 'receivers'> {
  /** What each key may do at most. */
  readonly ceiling: KeyLimits;
  readonly timing: TimingSettings;
}

export function createGateway({ ceiling, timing, ...parts }: GatewayParts): Gateway {
  const { store, random, keyring, modellix } = parts;
  const stopping = new AbortController();
  setMaxListeners(0, stopping.signal); // One for each pause under way.
  const ports: Ports = {
    ...parts,
    limits: new Limits(store, ceiling, random),
    timing: new Timing(store, timing, random),
    receivers: new Receivers(random, stopping.signal),
    stopping: stopping.signal,
  };
  const worker = new Worker(ports);
  const changes = new Changes(store, () => worker.wake());
  keyring.onChange(() => worker.wake());

  async function find(caller: string, id: string): Promise<Found> {
    const found = await orUnavailable(store.find(caller, id));
    if (found === null) throw new ProblemError('not-found', 'No avatar of yours has this id.');
    return found;
  }

  return {
    async create(request) {
      const { avatar, replayed } = await orUnavailable(accept(ports, worker, changes, request));
      const found =
        avatar.status === 'queued' ? await store.find(avatar.caller, avatar.id).catch(() => null) : null;
      return { ...(found === null ? { avatar, queue: null } : seen(ports.limits, found)), replayed };
    },
    check: (request) => check(ports, request),
    holdMemory: (bytes) => ports.memory.hold(bytes),
    read: async (caller, id) => seen(ports.limits, await find(caller, id)),
    list: (caller, query) => orUnavailable(list(ports, caller, query)),
    cancel: async (caller, id) => ({ avatar: await orUnavailable(cancel(ports, caller, id)), queue: null }),
    forget: (caller, id) => orUnavailable(forget(ports, caller, id)),
    async resolve(caller, id, finding) {
      const avatar = await orUnavailable(resolve(ports, caller, id, finding));
      worker.wake();
      return { avatar, queue: null };
    },
    deliveries: async (caller, id) => deliveryLog((await find(caller, id)).avatar),
    async redeliver(caller, id) {
      const avatar = await orUnavailable(redeliver(ports, caller, id));
      worker.wake();
      return { avatar, queue: null };
    },
    videoUrl: async (caller, id) => videoUrl((await find(caller, id)).avatar),
    video: async (caller, id, request) => openVideo(modellix, (await find(caller, id)).avatar, request),
    async ready() {
      if (stopping.signal.aborted) throw new ProblemError('not-ready', 'The gateway is stopping.');
      try {
        await store.ping();
      } catch (cause) {
        throw new ProblemError('not-ready', 'The task store cannot be reached.', {
          cause,
          headers: RETRY_AFTER,
        });
      }
    },
    upstream: () => upstreamState(ports).catch(() => null),
    start: () => worker.start(),
    stop() {
      stopping.abort();
      changes.close();
    },
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
