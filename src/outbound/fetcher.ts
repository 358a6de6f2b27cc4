import type { Fetched } from '../domain/media/fetched.js';
import { checkHttpUrl, UrlNotAllowedError } from '../domain/media/media.js';
import type { Network } from './addresses.js';
import type { Lookup } from './connector.js';
import { unreachable } from './fetched.js';
import { type HopOptions, hop } from './hop.js';
import { resolverLookup } from './lookup.js';

export type { Lookup } from './connector.js';

/** Gets files from where callers say they are, without letting callers reach the network the gateway is in. */
export interface MediaFetcher {
  /**
   * The file at an http(s) URL, if it has at most `maxBytes` bytes; never throws because of the URL or the
   * network. `hasRoom` is asked before so many bytes of it are held. `signal` cuts it off: `unreachable`.
   */
  fetch(url: string, maxBytes: number, options?: FetchOptions): Promise<Fetched>;
  /** Cuts off what is under way and takes nothing new. Twice is fine. */
  close(): Promise<void>;
}

export interface FetchOptions {
  readonly hasRoom?: (bytes: number) => boolean;
  readonly signal?: AbortSignal;
}

export interface MediaFetcherOptions {
  /** For one fetch with all that belongs to it: name look-ups, redirects, the body. */
  readonly timeoutMs: number;
  /** How many redirects are followed; each is checked like the URL itself. 3 where not given. */
  readonly maxRedirects?: number;
  /** What may be fetched from besides the public internet; see `parseNetworks`. */
  readonly allowedNetworks: readonly Network[];
  /** For example `avatar-gateway/0.1.0`. */
  readonly userAgent: string;
  /** {@link resolverLookup} where not given. */
  readonly lookup?: Lookup;
}

const CLOSED = 'the gateway is shutting down';

export function createMediaFetcher(options: MediaFetcherOptions): MediaFetcher {
  const { timeoutMs, maxRedirects = 3, allowedNetworks, userAgent, lookup = resolverLookup } = options;
  const running = new Map<AbortController, Promise<Fetched>>();
  let closed = false;

  const follow = async (given: string, hopOptions: HopOptions): Promise<Fetched> => {
    let url = checked(given);
    for (let redirects = 0; ; redirects += 1) {
      if ('kind' in url) return redirects === 0 ? url : redirected(url);
      const { signal } = hopOptions;
      if (signal.aborted) return unreachable(String(signal.reason));
      if (redirects > maxRedirects) return unreachable(`more than ${maxRedirects} redirects`);
      const answer = await hop(url, hopOptions);
      if (answer.kind !== 'redirect') return answer;
      url = checked(answer.location, url);
    }
  };

  return {
    async fetch(url, maxBytes, { signal, hasRoom = () => true } = {}) {
      const stop = new AbortController();
      const cancel = (): void => stop.abort('canceled');
      if (closed) stop.abort(CLOSED);
      if (signal?.aborted) cancel();
      signal?.addEventListener('abort', cancel, { once: true });
      const timer = setTimeout(() => stop.abort(`not complete within ${timeoutMs / 1000} s`), timeoutMs);
      const hopOptions = { lookup, allowedNetworks, maxBytes, userAgent, hasRoom, signal: stop.signal };
      const work = follow(url, hopOptions);
      running.set(stop, work);
      try {
        return await work;
      } finally {
        running.delete(stop);
        clearTimeout(timer);
        signal?.removeEventListener('abort', cancel);
      }
    },

    async close() {
      closed = true;
      for (const stop of running.keys()) stop.abort(CLOSED);
      await Promise.all(running.values());
    },
  };
}

type NotAllowed = Extract<Fetched, { kind: 'not-allowed' }>;

/** A URL that may be asked, as far as its text tells: where its host leads is checked at the connect. */
function checked(text: string, base?: URL): URL | NotAllowed {
  if (!URL.canParse(text, base?.href)) return { kind: 'not-allowed', detail: 'is not a valid URL' };
  try {
    return new URL(checkHttpUrl(base === undefined ? text : new URL(text, base).href));
  } catch (error) {
    if (error instanceof UrlNotAllowedError) return { kind: 'not-allowed', detail: error.detail };
    throw error;
  }
}

function redirected({ kind, detail }: NotAllowed): NotAllowed {
  return { kind, detail: `redirects to a URL that ${detail}` };
}
