import { setMaxListeners } from 'node:events';
import { type Avatar, isFinal } from '../domain/avatar.js';
import type { Caller, Scope } from '../domain/caller.js';
import type { KeyLimits } from '../domain/limits/budget.js';
import { ProblemError } from '../problems.js';
import { CorruptRecordError, type Found, type Store, StoreUnavailableError } from '../store/store.js';
import { accept, type Created, unlessRefused } from './accept.js';
import { type DeliveryLog, deliveryLog } from './callbacks/delivery-log.js';
import { redeliver } from './callbacks/redeliver.js';
import { cancel } from './cancel.js';
import { forget } from './forget.js';
import { type CheckResult, check } from './intake/check.js';
import type { Memory } from './intake/memory.js';
import type { AvatarRequest, CheckRequest } from './intake/request.js';
import { Limits } from './limits/limits.js';
import { Timing, type TimingSettings } from './limits/timing.js';
import { type UpstreamState, upstreamState } from './limits/upstream.js';
import { existing } from './move.js';
import { OriginGate, RECEIVER_ROOM, VIDEO_ROOM } from './origin-gate.js';
import type { Ports } from './ports.js';
import { Pushes } from './pushes/pushes.js';
import { PushTokens } from './pushes/tokens.js';
import { type Finding, resolve } from './resolve.js';
import { SentSubmits } from './sent.js';
import { Balance } from './spend/balance.js';
import { Bills } from './spend/bills.js';
import { type Usage, type UsageQuery, usage } from './spend/usage.js';
import { type VideoLink, VideoLinks } from './video/links.js';
import { Renewals } from './video/renewals.js';
import { openVideo, type VideoRequest, type VideoStream, videoUrl } from './video/video.js';
import {
  type AvatarSnapshot,
  type ListQuery,
  list,
  type SnapshotPage,
  snapshotOf,
  type VersionedSnapshot,
} from './view.js';
import { type FeedFollower, follow, followAll } from './watch/follow.js';
import type { Watcher } from './watch/topic.js';
import { until, type Wait } from './watch/until.js';
import { Watch } from './watch/watch.js';
import { Worker } from './worker.js';

/** What the service does, for whoever speaks to callers. Each verb throws {@link ProblemError} and nothing else by intent. */
export interface Gateway {
  create(request: AvatarRequest): Promise<Created>;
  /** What {@link create} made, once it is final or the time is over. Throws as `create` does where Modellix refused it meanwhile. */
  finish(created: Created, wait: Wait): Promise<Created>;
  /** Everything that {@link create} does before anything is stored or spent. */
  check(request: CheckRequest): Promise<CheckResult>;
  /** For bodies, before they are read. */
  readonly memory: Pick<Memory, 'tryAcquire'>;
  /** An avatar within a scope; `not-found` alike for what is unknown and what is another's. Never an upstream call. */
  read(scope: Scope, id: string): Promise<AvatarSnapshot>;
  /** Avatars within a scope, a page at a time. */
  list(scope: Scope, query: ListQuery): Promise<SnapshotPage>;
  /** Ends an avatar that was not sent. */
  cancel(scope: Scope, id: string): Promise<AvatarSnapshot>;
  /** Removes a final avatar and all that belongs to it. */
  forget(scope: Scope, id: string): Promise<void>;
  /** What {@link read} gives, once it is as it is waited for, or when the time is over. */
  wait(scope: Scope, id: string, wait: Wait, isDone: (avatar: Avatar) => boolean): Promise<AvatarSnapshot>;
  /** Tells of an avatar until it is left: `open` is given its present state, and says whom to tell of later ones. Returns how to leave. */
  follow(scope: Scope, id: string, open: (present: VersionedSnapshot) => Watcher | null): Promise<() => void>;
  /** Tells of all avatars within a scope until it is left: of what changes from now on, or behind a place. Returns how to leave. */
  followAll(scope: Scope, after: number | null, open: (at: number) => FeedFollower): Promise<() => void>;
  /** What was spent within a scope. */
  usage(scope: Scope, query: UsageQuery): Promise<Usage>;
  /** What a caller may still spend, in US dollars. @throws {ProblemError} `not-ready` where that cannot be known now */
  balance(caller: Caller): Promise<number>;
  /** Ends the doubt about an `unconfirmed` avatar. */
  resolve(scope: Scope, id: string, finding: Finding): Promise<AvatarSnapshot>;
  /** How telling the avatar's receiver went. */
  deliveries(scope: Scope, id: string): Promise<DeliveryLog>;
  /** Has the avatar's receiver told again. */
  redeliver(scope: Scope, id: string): Promise<AvatarSnapshot>;
  /** Where Modellix keeps the video of a finished avatar: a signed URL; `null` where the gateway has it itself. */
  videoUrl(scope: Scope, id: string): Promise<string | null>;
  /** The bytes of a finished avatar's video. */
  video(scope: Scope, id: string, request: VideoRequest): Promise<VideoStream>;
  /** A link to an avatar's video, good for an hour. */
  videoLink(id: string): Promise<VideoLink>;
  /** @throws {ProblemError} `forbidden` where a link is not good for an avatar's video */
  checkVideoLink(id: string, link: VideoLink): Promise<void>;
  /**
   * Modellix says, by a token of one avatar, that its task is finished: it is polled soon.
   * @throws {ProblemError} `not-found` for a token that is none; where Modellix is to say it again, what has a 429 or a 503
   */
  push(token: string): Promise<void>;
  /** Resolves when avatars can be accepted. */
  ready(): Promise<void>;
  /** How the upstream and what waits for it stand; `null` while the store cannot say. */
  upstream(): Promise<UpstreamState | null>;
  start(): void;
  /** Not ready from now on, and otherwise as before: whoever sends requests has time to hear of it. */
  retire(): void;
  /** Not ready from now on; nothing new is claimed. */
  stop(): void;
  /** Resolves when the work under way is done. Call {@link stop} first. */
  drained(): Promise<void>;
}

const RETRY_AFTER = { 'retry-after': '2' };

/** What a gateway is made of, besides what it makes itself. */
export interface GatewayParts
  extends Omit<
    Ports,
    | 'stopping'
    | 'limits'
    | 'timing'
    | 'sent'
    | 'pushTokens'
    | 'receiverOrigins'
    | 'videoOrigins'
    | 'renewals'
    | 'videoLinks'
    | 'bills'
    | 'watched'
  > {
  /** Where {@link Gateway.read} reads. */
  readonly reads: Pick<Store, 'find'>;
  /** What each key may do at most. */
  readonly ceiling: KeyLimits;
  /** The forms of the path of a submit, in the order in which they are tried; one at least. */
  readonly submitPaths: readonly string[];
  readonly timing: Omit<TimingSettings, 'netMs'>;
  /** How Modellix reaches the gateway to push, without a slash at the end; `null`: it is not told. */
  readonly pushUrl: string | null;
}

export function createGateway({
  ceiling,
  submitPaths,
  timing,
  pushUrl,
  reads,
  ...parts
}: GatewayParts): Gateway {
  const { store, random, keyring } = parts;
  const stopping = new AbortController();
  setMaxListeners(0, stopping.signal); // One for each pause under way.
  const limits = new Limits(store, ceiling, random, submitPaths);
  const see = (found: Found) => snapshotOf(limits, found);
  const watch = new Watch({ store, see, random });
  const sources = { store, watch, see };
  const ports: Ports = {
    limits,
    timing: new Timing(
      store,
      { ...timing, netMs: pushUrl === null ? null : parts.settings.taskTimeoutMs },
      random,
    ),
    sent: new SentSubmits(),
    pushTokens: pushUrl === null ? null : new PushTokens(store, pushUrl),
    receiverOrigins: new OriginGate(random, stopping.signal, RECEIVER_ROOM),
    videoOrigins: new OriginGate(random, stopping.signal, VIDEO_ROOM),
    renewals: new Renewals(),
    videoLinks: new VideoLinks(store),
    bills: new Bills(),
    watched: watch.ids,
    stopping: stopping.signal,
    ...parts,
  };
  const worker = new Worker(ports);
  const balance = new Balance(ports);
  const pushes = ports.pushTokens && new Pushes(ports, ports.pushTokens, (inMs) => worker.wake(inMs));
  keyring.onChange(() => worker.wake());
  let isRetired = false;

  async function find(from: Pick<Store, 'find'>, scope: Scope, id: string): Promise<Found> {
    return existing(await orUnavailable(from.find(scope, id)));
  }

  return {
    async create(request) {
      const created = await orUnavailable(accept(ports, worker, request));
      const { avatar, queue } = created;
      if (avatar.status !== 'queued' || queue !== null) return created;
      const found = await store.find(avatar.caller, avatar.id).catch(() => null);
      return found === null ? created : { ...created, ...see(found) };
    },
    async finish(created, wait) {
      const { caller, id, status } = created.avatar;
      if (isFinal(status)) return created;
      const isDone = ({ status }: Avatar) => isFinal(status);
      const now = await orUnavailable(until(sources, caller, id, wait, isDone, created));
      unlessRefused(now?.avatar ?? created.avatar, created.replayed);
      return { ...created, ...now };
    },
    check: (request) => check(ports, request),
    memory: ports.memory,
    list: (scope, query) => orUnavailable(list(ports, scope, query)),
    cancel: async (scope, id) => ({ avatar: await orUnavailable(cancel(ports, scope, id)), queue: null }),
    forget: (scope, id) => orUnavailable(forget(ports, scope, id)),
    read: async (scope, id) => see(await find(reads, scope, id)),
    wait: async (scope, id, wait, isDone) =>
      existing(await orUnavailable(until(sources, scope, id, wait, isDone))),
    follow: async (scope, id, open) => existing(await orUnavailable(follow(sources, scope, id, open))),
    followAll: (scope, after, open) => orUnavailable(followAll(sources, scope, after, open)),
    usage: (scope, query) => orUnavailable(usage(ports, scope, query)),
    balance: (caller) => orUnavailable(balance.of(caller)),
    async resolve(scope, id, finding) {
      const avatar = await orUnavailable(resolve(ports, scope, id, finding));
      worker.wake();
      return { avatar, queue: null };
    },
    deliveries: async (scope, id) => deliveryLog((await find(store, scope, id)).avatar),
    async redeliver(scope, id) {
      const avatar = await orUnavailable(redeliver(ports, scope, id));
      worker.wake();
      return { avatar, queue: null };
    },
    videoUrl: async (scope, id) => orUnavailable(videoUrl(ports, await find(store, scope, id))),
    video: async (scope, id, request) =>
      orUnavailable(openVideo(ports, await find(store, scope, id), request)),
    videoLink: (id) => orUnavailable(ports.videoLinks.sign(id)),
    checkVideoLink: (id, link) => orUnavailable(ports.videoLinks.check(id, link)),
    async push(token) {
      if (pushes === null) throw new Error('Modellix was not told where to push');
      await orUnavailable(pushes.take(token));
    },
    async ready() {
      if (isRetired || stopping.signal.aborted)
        throw new ProblemError('not-ready', 'The gateway is stopping.');
      try {
        await store.ping();
      } catch (cause) {
        const why = cause instanceof StoreUnavailableError ? `: ${cause.message}` : '';
        throw new ProblemError('not-ready', `The task store cannot be used${why}.`, {
          cause,
          headers: RETRY_AFTER,
        });
      }
    },
    upstream: () => upstreamState(ports).catch(() => null),
    start() {
      void ports.pushTokens?.prepare();
      worker.start();
    },
    retire() {
      isRetired = true;
    },
    stop() {
      stopping.abort();
      watch.close();
    },
    drained: () => worker.close(),
  };
}

async function orUnavailable<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (cause) {
    if (cause instanceof CorruptRecordError) {
      const detail = 'What the task store holds of this avatar is damaged, and was quarantined.';
      throw new ProblemError('record-damaged', detail, { cause });
    }
    if (!(cause instanceof StoreUnavailableError)) throw cause;
    const detail =
      'The task store cannot be reached. Try again; with an Idempotency-Key that is always safe.';
    throw new ProblemError('store-unavailable', detail, { cause, headers: RETRY_AFTER });
  }
}
