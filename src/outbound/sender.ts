import { isIP } from 'node:net';
import type { DeliveryResult } from '../domain/callbacks/callback.js';
import { readSecret } from '../domain/callbacks/webhook-secret.js';
import { httpDate, retryAfterIn } from '../domain/retry-after.js';
import { mayConnectTo, type Network } from './addresses.js';
import { connectionTo } from './connection.js';
import { AddressNotAllowedError, addressesOf, type Lookup, NOT_PUBLIC } from './connector.js';
import { resolverLookup } from './lookup.js';
import { signedHeaders } from './signature.js';
import { wordsFor } from './words.js';

/** A message for a receiver. `at`: when it is sent, in ms since the epoch. */
export interface Message {
  readonly url: string;
  readonly id: string;
  readonly at: number;
  /** JSON. */
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** `whsec_...`, one or more: each signs. */
  readonly secrets: readonly string[];
}

/** Tells receivers, without letting callers reach the network the gateway is in. */
export interface CallbackSender {
  /**
   * Why a URL may not be called, as a predicate for the caller, or `null`. A name is looked up for a moment only: where
   * nothing is known by then, and always, it is checked again when it is connected to.
   */
  refusal(url: string): Promise<string | null>;
  /** One signed POST. Never throws because of the URL or the network. */
  send(message: Message): Promise<DeliveryResult>;
  /** Cuts off what is under way and takes nothing new. Twice is fine. */
  close(): Promise<void>;
}

export interface CallbackSenderOptions {
  /** For one message: look-up, connection, and the head of the answer. */
  readonly timeoutMs: number;
  /** What may be called besides the public internet. */
  readonly allowedNetworks: readonly Network[];
  /** For example `avatar-gateway/0.1.0`. */
  readonly userAgent: string;
  /** {@link resolverLookup} where not given. */
  readonly lookup?: Lookup;
}

/** How long a look-up may hold up whoever names a receiver. */
const QUICK_MS = 1_000;
/** An answer's body says nothing. So much of it is read, for so long, that an honest host sees no reset. */
const MAX_BODY_BYTES = 16 * 1024;
const MAX_BODY_MS = 500;

const CLOSED = 'the gateway is shutting down';

export function createCallbackSender(options: CallbackSenderOptions): CallbackSender {
  const { timeoutMs, allowedNetworks, userAgent, lookup = resolverLookup } = options;
  const guard = { lookup, allowedNetworks };
  const running = new Map<AbortController, Promise<DeliveryResult>>();
  let closed = false;

  const post = async (message: Message, signal: AbortSignal): Promise<DeliveryResult> => {
    const startedAt = performance.now();
    const latencyMs = (): number => Math.round(performance.now() - startedAt);
    const url = new URL(message.url);
    const { client } = connectionTo(url, guard, signal);
    try {
      const { statusCode, headers, body } = await client.request({
        method: 'POST',
        path: url.pathname + url.search,
        headers: {
          'content-type': 'application/json',
          'user-agent': userAgent,
          ...message.headers,
          ...signedHeaders(message.secrets.map(readSecret), message),
        },
        body: message.body,
        reset: true,
        headersTimeout: 0,
        bodyTimeout: 0,
      });
      const answered = {
        status: statusCode,
        error: null,
        retryAfterMs: retryAfterOf(headers),
        latencyMs: latencyMs(),
      };
      await readOver(body);
      return answered;
    } catch (error) {
      return { status: null, error: reasonOf(error, signal), retryAfterMs: null, latencyMs: latencyMs() };
    } finally {
      void client.destroy();
    }
  };

  return {
    async refusal(url) {
      // WHATWG has read every spelling of an address by then: 0x7f000001, 127.1, [::ffff:127.0.0.1].
      const hostname = new URL(url).hostname.replace(/^\[(.*)\]$/, '$1');
      if (isIP(hostname) !== 0) return mayConnectTo(hostname, allowedNetworks) ? null : NOT_PUBLIC;
      return within(
        QUICK_MS,
        addressesOf(guard, hostname).then(
          () => null,
          (error: unknown) => (error instanceof AddressNotAllowedError ? NOT_PUBLIC : null),
        ),
      );
    },

    async send(message) {
      const stop = new AbortController();
      if (closed) stop.abort(CLOSED);
      const timer = setTimeout(() => stop.abort(`no answer within ${timeoutMs / 1000} s`), timeoutMs);
      const work = post(message, stop.signal);
      running.set(stop, work);
      try {
        return await work;
      } finally {
        running.delete(stop);
        clearTimeout(timer);
      }
    },

    async close() {
      closed = true;
      for (const stop of running.keys()) stop.abort(CLOSED);
      await Promise.all(running.values());
    },
  };
}

function reasonOf(error: unknown, signal: AbortSignal): string {
  if (signal.aborted) return String(signal.reason);
  return error instanceof AddressNotAllowedError ? NOT_PUBLIC : wordsFor(error);
}

/** A date is held against the answer's own, so that a clock of ours that is off does no harm. */
function retryAfterOf(headers: Readonly<Record<string, string | string[] | undefined>>): number | null {
  const single = (name: string): string | undefined => [headers[name]].flat()[0];
  return retryAfterIn(single('retry-after'), httpDate(single('date')) ?? Date.now());
}

/** Whatever becomes of the body, the status stands. */
async function readOver(body: { dump(limits: { limit: number; signal: AbortSignal }): Promise<void> }) {
  const signal = AbortSignal.timeout(MAX_BODY_MS);
  await body.dump({ limit: MAX_BODY_BYTES, signal }).catch(() => undefined);
}

/** What it comes to, or `null` where it takes too long. */
async function within<T>(ms: number, work: Promise<T>): Promise<T | null> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<null>((resolve) => {
    timer = setTimeout(resolve, ms, null);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}
