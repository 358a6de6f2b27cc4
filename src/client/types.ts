import type * as schema from './schema.js';

export type { Avatar, AvatarList as AvatarPage, Check, Deliveries, Problem } from './schema.js';

type Avatar = schema.Avatar;
export type AvatarStatus = Avatar['status'];

type Sound<Given> =
  | { readonly sound_file: Given; readonly audio_id?: never }
  | { readonly audio_id: string; readonly sound_file?: never };

/** A portrait and speech. Media are an http(s) URL, base64 or a `data:` URI as text, or a file, which is sent as it is read. */
export type CreateRequest = Readonly<Omit<schema.CreateAvatar, 'image' | 'sound_file' | 'audio_id'>> & {
  readonly image: string | Blob;
} & Sound<string | Blob>;

/** What an operator found in the Modellix console: the task, or that there is none. */
export type Finding = { readonly task_id: string } | { readonly made: false };

/** Which avatars; times are RFC 3339 in texts. */
export interface ListQuery {
  readonly status?: AvatarStatus | readonly AvatarStatus[];
  readonly external_id?: string;
  readonly created_after?: string | Date;
  readonly created_before?: string | Date;
  /** For admins: those of the caller with this name alone. */
  readonly caller?: string;
  /** How many a page has at most: 1 to 100. */
  readonly limit?: number;
}

export interface PageQuery extends ListQuery {
  /** `next_cursor` of the page before, with the same filters. */
  readonly cursor?: string;
}

export interface RequestOptions {
  /** Ends the request, and the pauses between its attempts; it is then rejected with the reason of the signal. */
  readonly signal?: AbortSignal | undefined;
  /** How long one attempt may take, instead of the client's. */
  readonly requestTimeoutMs?: number | undefined;
  /** Called with the head of each answer, those that are tried again as well: for `X-Request-Id` and the like. */
  readonly onResponse?: ((response: Pick<Response, 'status' | 'headers'>) => void) | undefined;
}

export interface CreateOptions extends RequestOptions {
  /** Names the request, so that it makes one avatar however often it is sent; unset: a random one. */
  readonly idempotencyKey?: string | undefined;
  /** Answer once the avatar is final, or as it is after so many seconds, at most 60. */
  readonly waitSeconds?: number | undefined;
}

export interface GetOptions extends RequestOptions {
  /** Answer once the avatar is final, or as it is after so many seconds, at most 60. */
  readonly waitSeconds?: number | undefined;
}

export interface WaitOptions {
  /** How long in all; unset: as long as it takes. */
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Called with the avatar as it is first seen, each time it has changed, and twice a minute while it is queued. */
  readonly onChange?: ((avatar: Avatar) => void) | undefined;
}

export interface EventsOptions {
  /** `lastEventId` of the last event that was seen: what came behind it is told first. */
  readonly lastEventId?: string | undefined;
  /** For admins who follow all avatars: those of the caller with this name alone. */
  readonly caller?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * `avatar`: as it is now. `deleted`: it was removed. `reset`: what came behind `lastEventId` is no longer known, so
 * read the list.
 */
export type AvatarEvent = {
  /** Where to go on with `EventsOptions`. */
  readonly lastEventId: string;
} & (
  | { readonly type: 'avatar'; readonly avatar: Avatar }
  | { readonly type: 'deleted'; readonly id: string }
  | { readonly type: 'reset' }
);

export interface VideoOptions extends RequestOptions {
  /** As in a `Range` header, for example `bytes=0-1023`. */
  readonly range?: string | undefined;
}

export interface Video {
  /** Has to be read or canceled: until then it holds a connection. Rejects where the connection breaks. */
  readonly body: ReadableStream<Uint8Array>;
  readonly contentType: string;
  /** Bytes in this answer. */
  readonly contentLength: number | null;
  readonly etag: string | null;
  readonly status: 200 | 206;
  /** `bytes first-last/size`, with 206. */
  readonly contentRange: string | null;
}

export interface ClientOptions {
  /** Where the gateway is, with the path before `/avatars` where there is one. In a browser it may be a path alone. */
  readonly baseUrl: string;
  /** Sent as `Authorization: Bearer`. */
  readonly apiKey?: string | undefined;
  /** Instead of the global one: for a proxy, or a platform that does not know `redirect: 'manual'` or `cache: 'no-store'`. */
  readonly fetch?: typeof fetch | undefined;
  /**
   * How long one attempt may take, 30,000 unless set. On top come the seconds of a wait, and for what is sent as long as the
   * gateway gives it: 10 s for each 64 kB, 300 s at most.
   */
  readonly requestTimeoutMs?: number | undefined;
  /** How often a request is sent again, 4 unless set. */
  readonly maxRetries?: number | undefined;
  /** Sent with every request. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

/**
 * All methods reject with a `GatewayError` for what the gateway answered, a `ConnectionError` where there was no
 * answer, and the reason of the signal where that was aborted.
 */
export interface AvatarGatewayClient {
  /** Makes an avatar, once, however often the request has to be sent. */
  create(request: CreateRequest, options?: CreateOptions): Promise<Avatar>;
  /** Says what is wrong with a request, or what it would cost. Nothing is made. */
  check(request: CreateRequest, options?: RequestOptions): Promise<schema.Check>;
  get(id: string, options?: GetOptions): Promise<Avatar>;
  /** All avatars, the newest first; the pages are fetched as they are needed. */
  list(query?: ListQuery, options?: RequestOptions): AsyncIterable<Avatar>;
  page(query?: PageQuery, options?: RequestOptions): Promise<schema.AvatarList>;
  /**
   * The avatar once it is final, whether it succeeded or not: look at its `status`. Goes on while the gateway cannot be
   * reached.
   * @throws {WaitTimeoutError} with the avatar as it was last
   */
  wait(id: string, options?: WaitOptions): Promise<Avatar>;
  /**
   * The avatar as it is, and each time it changes, until it is final or removed; without an id all avatars, from now
   * on and without an end. Comes back by itself where a connection breaks, and misses nothing.
   */
  events(id: string | null, options?: EventsOptions): AsyncIterable<AvatarEvent>;
  /** Ends an avatar that is still `queued`. */
  cancel(id: string, options?: RequestOptions): Promise<Avatar>;
  /** Removes all that the gateway has of a final avatar. */
  delete(id: string, options?: RequestOptions): Promise<void>;
  /** Has the callback sent again. */
  redeliver(id: string, options?: RequestOptions): Promise<Avatar>;
  deliveries(id: string, options?: RequestOptions): Promise<schema.Deliveries>;
  /** Ends the doubt about an avatar that is `unconfirmed` or `timed_out`. */
  resolve(id: string, finding: Finding, options?: RequestOptions): Promise<Avatar>;
  video(id: string, options?: VideoOptions): Promise<Video>;
}
