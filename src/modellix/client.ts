import { Readable } from 'node:stream';
import { Agent, type buildConnector, Client, type Dispatcher, Pool } from 'undici';
import type { ApiKey } from './api-key.js';
import { connectorBy } from './connector.js';
import { exchange } from './exchange.js';
import {
  NO_LIMITS,
  type ProbeOutcome,
  type QueryOutcome,
  type Reply,
  type SubmitOutcome,
} from './outcome.js';
import { type ProxySettings, readProxies } from './proxies.js';
import { bodyOf, type Submission } from './submission.js';
import { IDLE_MS, SubmitConnections } from './submit-connections.js';
import { fetchVideo, type VideoAnswer, type VideoRequest } from './video.js';
import { isTaskId, readBalanceAnswer, readQueryAnswer, readSubmitAnswer } from './wire.js';

export type { VideoAnswer, VideoHeaders, VideoRequest } from './video.js';

/** Modellix over HTTP. No method throws because of the network: what went wrong is in the outcome. */
export interface ModellixClient {
  /**
   * One POST at most.
   * @param context `path`: begins with `/`. `webhookUrl`: where Modellix is to push the end of the task; none where not given
   */
  submit(
    key: ApiKey,
    submission: Submission,
    context: {
      readonly path: string;
      readonly traceparent: string | null;
      readonly webhookUrl?: string | null;
    },
  ): Promise<Reply<SubmitOutcome>>;
  /** `signal` cuts it off, also while Modellix holds it: it is then `unavailable`. */
  query(key: ApiKey, taskId: string, signal?: AbortSignal): Promise<Reply<QueryOutcome>>;
  /** One free read. It is `ok` where Modellix answers, be it with a refusal. */
  probe(key: ApiKey): Promise<ProbeOutcome>;
  /** One free read: what is left of the account of a key, in US dollars; `null` where that is not known. */
  balance(key: ApiKey): Promise<number | null>;
  /** Without the API key, wherever the URL points and `connectToVideos` connects to. */
  video(url: string, request: VideoRequest): Promise<VideoAnswer>;
  /** Takes no new calls, lets submits and queries finish, cuts off videos. Twice is fine. */
  close(): Promise<void>;
}

export interface ModellixClientOptions {
  /** http(s); a path in it is put before the other paths. */
  readonly baseUrl: string;
  /** Without the task's id, for example `/api/v1/tasks`. */
  readonly tasksPath: string;
  /** What a probe reads; Modellix's check of a key where not given. */
  readonly probePath?: string;
  /** For example `avatar-gateway/0.1.0`. */
  readonly userAgent: string;
  /** On the way to Modellix, and to its video host; none where not given. */
  readonly proxies?: ProxySettings;
  /** Name look-up, TCP, a proxy's tunnel, and TLS. */
  readonly connectTimeoutMs: number;
  /** From the first byte of the POST to the last of its answer: it includes sending up to 21 MB. */
  readonly submitTimeoutMs: number;
  readonly queryTimeoutMs: number;
  /** How long Modellix may hold a query for an unfinished task (`wait=true`), on top of its time-out; 0: not at all. */
  readonly longPollMs: number;
  /** To the head of the answer, and then for each pause in its body. */
  readonly videoTimeoutMs: number;
  /** Connects to the hosts of videos where no proxy is on the way: it decides which of them may be connected to. */
  readonly connectToVideos: buildConnector.connector;
  /** The longest answer to a submit or a query that is read; 1 MB where not given. */
  readonly maxAnswerBytes?: number;
}

/** Up to here a body is made at once, and leaves with its head. */
const SMALL_BODY_BYTES = 64 * 1024;
const TRACEPARENT = /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/;

/** @throws {TypeError} for an option that could never make a valid request; says which, not its value. */
export function createModellixClient(options: ModellixClientOptions): ModellixClient {
  const { userAgent, connectTimeoutMs, queryTimeoutMs, longPollMs, submitTimeoutMs, videoTimeoutMs } =
    options;
  const { origin, prefix } = baseOf(options.baseUrl);
  const tasksPath = prefix + pathOf('tasksPath', options.tasksPath).replace(/\/+$/, '');
  const probePath = prefix + pathOf('probePath', options.probePath ?? '/api/v1/apikey/validate');

  const proxyFor = readProxies(options.proxies ?? {});
  const connect = connectorBy(proxyFor, connectTimeoutMs);
  const common = { connect, maxResponseSize: options.maxAnswerBytes ?? 1_000_000 };
  const headersFor = (key: ApiKey) => ({
    authorization: `Bearer ${key.reveal()}`,
    accept: 'application/json',
    'user-agent': userAgent,
  });
  const queries = new Pool(origin, common);
  const kept = { keepAliveTimeout: IDLE_MS, keepAliveMaxTimeout: IDLE_MS };
  const submits = new SubmitConnections(() => new Client(origin, { ...common, ...kept }));
  const videos = new Agent({ connect: connectorBy(proxyFor, connectTimeoutMs, options.connectToVideos) });
  const running = new Set<Promise<unknown>>();
  let closing: Promise<void> | undefined;

  const tracked = async <T>(work: Promise<T>): Promise<T> => {
    running.add(work);
    try {
      return await work;
    } finally {
      running.delete(work);
    }
  };
  const reading = (key: ApiKey) => ({ now: Date.now(), secret: key.reveal() });

  return {
    async submit(key, submission, { path, traceparent, webhookUrl = null }) {
      if (closing !== undefined) return none({ kind: 'not-sent', reason: 'the client is closed' });
      const trace = traceparent !== null && TRACEPARENT.test(traceparent) ? { traceparent } : {};
      const body = bodyOf(submission);
      const request = (): Dispatcher.DispatchOptions => ({
        method: 'POST',
        path: prefix + path,
        headers: {
          'content-type': 'application/json',
          'content-length': String(body.bytes),
          ...headersFor(key),
          ...trace,
          ...(webhookUrl !== null && { 'x-webhook-url': webhookUrl }),
        },
        body:
          body.bytes <= SMALL_BODY_BYTES
            ? Buffer.concat([...body.chunks()])
            : Readable.from(body.chunks(), { objectMode: false }),
      });
      const limits = { connectTimeoutMs, answerTimeoutMs: submitTimeoutMs };
      const result = await tracked(submits.exchange(request, limits));
      if (result.kind === 'answer') {
        return readSubmitAnswer(result.status, result.headers, result.body, reading(key));
      }
      const { reason, sent, status } = result;
      return none(sent ? { kind: 'unknown', reason, status } : { kind: 'not-sent', reason });
    },

    async query(key, taskId, signal) {
      if (closing !== undefined) return none({ kind: 'unavailable', reason: 'the client is closed' });
      if (!isTaskId(taskId)) return none({ kind: 'missing', message: 'not a task id of Modellix' });
      const wait = longPollMs > 0 ? '?wait=true' : '';
      const path = `${tasksPath}/${encodeURIComponent(taskId)}${wait}`;
      const request: Dispatcher.DispatchOptions = { method: 'GET', path, headers: headersFor(key) };
      const limits = { connectTimeoutMs, answerTimeoutMs: longPollMs + queryTimeoutMs, signal };
      const result = await tracked(exchange(queries, request, limits));
      if (result.kind === 'answer') {
        return readQueryAnswer(result.status, result.headers, result.body, reading(key));
      }
      const unsent = !result.sent && signal?.aborted !== true;
      return none({ kind: 'unavailable', reason: result.reason, ...(unsent && { unsent }) });
    },

    async probe(key) {
      if (closing !== undefined) return 'unreachable';
      const request: Dispatcher.DispatchOptions = {
        method: 'GET',
        path: probePath,
        headers: headersFor(key),
      };
      const limits = { connectTimeoutMs, answerTimeoutMs: queryTimeoutMs };
      const result = await tracked(exchange(queries, request, limits));
      if (result.kind === 'answer') return result.status < 500 ? 'ok' : 'failed';
      return result.sent ? 'failed' : 'unreachable';
    },

    async balance(key) {
      if (closing !== undefined) return null;
      const request: Dispatcher.DispatchOptions = {
        method: 'GET',
        path: `${prefix}/api/v1/team/balance`,
        headers: headersFor(key),
      };
      const limits = { connectTimeoutMs, answerTimeoutMs: queryTimeoutMs };
      const result = await tracked(exchange(queries, request, limits));
      return result.kind === 'answer' ? readBalanceAnswer(result.status, result.body) : null;
    },

    async video(url, request) {
      if (closing !== undefined) return { kind: 'unavailable', reason: 'the client is closed' };
      return fetchVideo(videos, url, request, { userAgent, timeoutMs: videoTimeoutMs });
    },

    close() {
      closing ??= (async () => {
        await Promise.allSettled(running);
        submits.close();
        await Promise.all([queries.destroy(), videos.destroy()]);
      })();
      return closing;
    },
  };
}

function none<T>(outcome: T): Reply<T> {
  return { outcome, limits: NO_LIMITS };
}

function baseOf(baseUrl: string): { origin: string; prefix: string } {
  const url = URL.canParse(baseUrl) ? new URL(baseUrl) : null;
  if (url === null || !/^https?:$/.test(url.protocol)) throw new TypeError('baseUrl: must be an http(s) URL');
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '') {
    throw new TypeError('baseUrl: must not hold user info, a query or a fragment');
  }
  return { origin: url.origin, prefix: url.pathname.replace(/\/+$/, '') };
}

function pathOf(option: string, path: string): string {
  if (!/^\/[\x21-\x7e]*$/.test(path)) throw new TypeError(`${option}: must be a path that begins with /`);
  return path;
}
