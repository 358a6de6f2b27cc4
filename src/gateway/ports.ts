import type { AudioFacts, Avatar, FailureType, ImageFacts, Mode, Status } from '../domain/avatar.js';
import type { DeliveryResult } from '../domain/callbacks/callback.js';
import type { CallerDirectory } from '../domain/caller.js';
import type { Fetched } from '../domain/media/fetched.js';
import type { InspectedFile } from '../domain/media/inspected.js';
import type { Prices } from '../domain/price.js';
import type { SpendCaps } from '../domain/spend.js';
import type { ModellixClient, VideoAnswer, VideoRequest } from '../modellix/client.js';
import type { Keyring } from '../modellix/keyring.js';
import type { SubmitOutcome } from '../modellix/outcome.js';
import type { Spool } from '../store/spool.js';
import type { Bounds, CallerLimitError, Store, Stored } from '../store/store.js';
import type { Answer } from './answer.js';
import type { Memory } from './intake/memory.js';
import type { Limits } from './limits/limits.js';
import type { Timing } from './limits/timing.js';
import type { Log } from './log.js';
import type { OriginGate } from './origin-gate.js';
import type { PushTokens } from './pushes/tokens.js';
import type { SentSubmits } from './sent.js';
import type { Bills } from './spend/bills.js';
import type { VideoLink, VideoLinks } from './video/links.js';
import type { Renewals } from './video/renewals.js';

/**
 * What a push comes to. `polled`: its avatar is polled for it. `joined`: there was another just before. `early`: the submit is not
 * answered yet. `late`: there is nothing to poll. `forged`: its token is none of ours.
 */
export type PushOutcome = 'polled' | 'joined' | 'early' | 'late' | 'forged' | 'too_many';

/** What the verbs count. */
export interface Counts {
  submit(outcome: SubmitOutcome['kind']): void;
  ended(status: Status): void;
  delivery(outcome: 'delivered' | 'failed' | 'given_up'): void;
  /** What came of keeping a video in the end. */
  keeping(outcome: 'kept' | Refused | 'gone' | 'given_up'): void;
  unfamiliarStatus(): void;
  /** A push came. */
  push(outcome: PushOutcome): void;
  /** An avatar was refused because its caller is at a limit of its own. */
  callerLimit(limit: CallerLimitError['limit']): void;
  /** A caller has spent most of what it may on a day or in a month. */
  spendWarning(period: keyof SpendCaps): void;
  /** What Modellix bills differs from the price that is set; once an hour. */
  priceMoved(mode: Mode): void;
}

/** Looks at media without holding up anyone else. */
export interface Inspector {
  /** @param encoded whether the bytes are base64. @throws {MediaError} */
  image(bytes: Buffer, encoded: boolean): Promise<InspectedFile<ImageFacts>>;
  /** @throws {MediaError} */
  sound(bytes: Buffer, encoded: boolean): Promise<InspectedFile<AudioFacts>>;
}

/** Gets files from where callers say they are, and from nowhere inside. */
export interface UrlFetcher {
  /** Never throws because of the URL or the network. `hasRoom` is asked before so many bytes of the file are held. */
  fetch(
    url: string,
    maxBytes: number,
    options: { readonly hasRoom: (bytes: number) => boolean },
  ): Promise<Fetched>;
}

/** What came of keeping a video; where it was refused, nothing of it is there. */
export type Keeping =
  | { readonly keptBytes: number }
  /** `reason`: in words for the log. */
  | { readonly refused: Refused; readonly reason: string };

/** Too large for one, no room beside the others, or the folder cannot be written. */
export type Refused = 'too-large' | 'no-room' | 'disk';

/** What a file is answered with. */
export type KeptAnswer = Extract<VideoAnswer, { kind: 'ok' | 'range-not-satisfiable' }>;

/** The videos that the gateway has itself, by the ids of their avatars. */
export interface VideoFiles {
  /**
   * Writes a video while it arrives: all of it, or nothing. Two that write the same at once do not meet.
   * @param bytes how long it is, where that is known
   * @throws what `body` throws, and nothing else
   */
  keep(id: string, body: AsyncIterable<Uint8Array>, bytes: number | null): Promise<Keeping>;
  /** The video, as its host would answer; `null` where it is not here, or not as long as it should be. */
  open(id: string, keptBytes: number, request: VideoRequest): Promise<KeptAnswer | null>;
  /** Never throws: what stays behind is swept. */
  remove(id: string): Promise<void>;
}

/** A message for a receiver. */
export interface CallbackMessage {
  readonly url: string;
  /** Names what it tells of: the same each time it is told. */
  readonly id: string;
  /** When it is sent, on the store's clock. */
  readonly at: number;
  /** JSON. */
  readonly body: string;
  /** Beside those that name and sign it. */
  readonly headers: Readonly<Record<string, string>>;
  /** What it is signed with, `whsec_...`; one at least. */
  readonly secrets: readonly string[];
}

/** Tells receivers, and nobody inside. */
export interface CallbackSender {
  /** Why a URL of http or https may not be called, as a predicate for the caller; `null` where nothing speaks against it. */
  refusal(url: string): Promise<string | null>;
  /** Never throws because of the URL or the network. */
  send(message: CallbackMessage): Promise<DeliveryResult>;
}

/** Times in milliseconds. */
export interface GatewaySettings {
  readonly submitGraceMs: number;
  /** Must exceed the longest submit, so that a lapsed lease means a dead worker and not a slow Modellix. */
  readonly submitLeaseMs: number;
  /** Must exceed the longest query. */
  readonly stepLeaseMs: number;
  /** Must exceed the longest step that needs no call to Modellix: telling a receiver. */
  readonly commonLeaseMs: number;
  /** How long one try to keep a video may take; and a lease that exceeds it. */
  readonly keepTryMs: number;
  readonly keepLeaseMs: number;
  readonly queueTimeoutMs: number;
  readonly queueBounds: Bounds;
  /** How long an `unconfirmed` avatar holds the slot that its task may be using. */
  readonly unconfirmedHoldMs: number;
  readonly taskTimeoutMs: number;
  readonly retentionMs: number;
  /** Which of the doubtful answers to a submit, 429 and 503, are taken to mean that no task was made. */
  readonly notMadeOn: ReadonlySet<number>;
  /** What callbacks are signed with where a caller has no secrets of its own; none: then it cannot have any. */
  readonly webhookSecrets: readonly string[];
  readonly prices: Prices;
  /** Whether media at a URL that cannot be fetched are refused. */
  readonly urlsMustAnswer: boolean;
}

/** Everything a verb needs from outside. */
export interface Ports {
  readonly store: Store;
  /** Where answers wait on this machine's disk while the store cannot take them. */
  readonly spool: Spool<Answer>;
  readonly modellix: ModellixClient;
  readonly keyring: Keyring;
  readonly limits: Limits;
  readonly timing: Timing;
  readonly sent: SentSubmits;
  /** Unless Modellix is not told where to push. */
  readonly pushTokens: PushTokens | null;
  readonly inspector: Inspector;
  /** Unless media at URLs are passed on unseen. */
  readonly urls: UrlFetcher | null;
  /** Unless videos are left where Modellix keeps them. */
  readonly videos: VideoFiles | null;
  readonly callbacks: CallbackSender;
  /** Who may call, by name; `null` where nobody has one. */
  readonly callers: Pick<CallerDirectory, 'find'> | null;
  /** Before where callbacks go. */
  readonly receiverOrigins: OriginGate;
  /** Before where videos are kept from. */
  readonly videoOrigins: OriginGate;
  readonly renewals: Renewals;
  readonly bills: Bills;
  /** The avatar as its caller sees it. */
  readonly render: (avatar: Avatar) => object;
  /** The avatar as Modellix would answer a query for it. @param base what URLs begin with. @param link to its video, where there is one */
  readonly renderTask: (avatar: Avatar, base: string, link: VideoLink | null) => object;
  readonly videoLinks: VideoLinks;
  readonly memory: Memory;
  /** The avatars that somebody here waits for: they are polled before others. */
  readonly watched: Pick<ReadonlySet<string>, 'has' | 'size'>;
  readonly settings: GatewaySettings;
  readonly log: Log;
  readonly counts: Counts;
  /** In [0, 1), for jitter. */
  readonly random: () => number;
  /** Aborted when the process is told to stop. */
  readonly stopping: AbortSignal;
}

/** The store's clock, carried on from the moment a record was read, whatever this machine's wall clock says. */
export function storeClock({ now }: Stored): () => number {
  const startedAt = performance.now();
  return () => Math.round(now + performance.now() - startedAt);
}

/** A failure of the avatar, in the words its caller will read. */
export function failure(type: FailureType, detail: string, upstreamStatus: number | null = null) {
  return { type, detail, upstreamStatus };
}
