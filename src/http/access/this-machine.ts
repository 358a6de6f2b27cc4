import { isIP } from 'node:net';
import type { FastifyRequest } from 'fastify';
import { LRUCache } from 'lru-cache';
import { isLoopback, withoutPort } from './address.js';

/** Who is served where no key is asked for. */
export interface KeylessRules {
  /** Whether only programs on this machine are. */
  readonly isLocal: boolean;
  /** Names that `Host` may have beside those that always may: `.example.com` with all below it, `*` for any. */
  readonly allowedHosts: readonly string[];
  /** How callers reach the gateway; `null`: as their requests say. */
  readonly publicUrl: string | null;
}

/** Nobody can have a name below these on the public internet (RFC 6761, 6762, 8375; ICANN for `.internal`; Kubernetes). */
const PRIVATE_NAMES = ['.localhost', '.local', '.home.arpa', '.internal', '.svc'];

/**
 * Says why a request without a key is refused; `null` where it is not. A browser sends what pages from anywhere tell it to, and a
 * proxy on this machine passes on what comes from elsewhere, so the address alone says little.
 */
export function keylessCheck(rules: KeylessRules): (request: FastifyRequest) => string | null {
  // Callers send few different ones.
  const hosts = new LRUCache<string, boolean>({
    max: 100,
    memoMethod(host) {
      const url = urlOf(`http://${host}`);
      return url !== null && isAllowedHost(url.hostname, rules);
    },
  });
  return ({ socket, headers }) => {
    if (rules.isLocal) {
      if (!isLoopback(socket.remoteAddress ?? '')) return 'the request came from another address';
      if (headers.via !== undefined || !forwardedFor(headers).every(isLoopback))
        return 'the request was passed on for another address';
    }
    // DNS rebinding: a name of the attacker's that resolves to this gateway. HTTP/1.0 needs no Host.
    if (headers.host && !hosts.memo(headers.host))
      return 'its `Host` is neither an address nor a name that ALLOWED_HOSTS has';
    return isOfAnotherOrigin(headers, rules) ? 'a page of another origin sent the request' : null;
  };
}

/** CSRF: what a page may send without a preflight, such as a form with files. */
function isOfAnotherOrigin(headers: FastifyRequest['headers'], { publicUrl }: KeylessRules): boolean {
  const { origin, 'sec-fetch-site': site = 'none' } = headers;
  if (origin === undefined && site === 'none') return false;
  const from = urlOf(origin);
  const host = urlOf(`http://${headers.host ?? ''}`);
  const isPublic = from !== null && from.origin === urlOf(publicUrl)?.origin;
  const isOwn = origin === undefined || isPublic || (from !== null && from.host === host?.host);
  // The browser vouches for the first; a page without a referrer sends `Origin: null` with it.
  return site !== 'same-origin' && (site !== 'none' || !isOwn);
}

/** @param hostname as a URL has it, so in one spelling of the address */
function isAllowedHost(hostname: string, { isLocal, allowedHosts, publicUrl }: KeylessRules): boolean {
  const name = hostname.replace(/^\[(.*)\]$/, '$1');
  const isIn = (names: readonly string[]) =>
    names.some(
      (each) => each === '*' || each.replace(/^\./, '') === name || (each[0] === '.' && name.endsWith(each)),
    );
  if (name === 'localhost' || isLoopback(name) || isIn(allowedHosts)) return true;
  // Neither an address nor a name of one word can be made to resolve to another machine by somebody outside.
  return (
    !isLocal &&
    (isIP(name) !== 0 || !name.includes('.') || isIn(PRIVATE_NAMES) || name === urlOf(publicUrl)?.hostname)
  );
}

/** De facto headers of proxies, tunnels and CDNs. */
const FORWARDED_FOR = [
  ...['x-forwarded-for', 'x-real-ip', 'x-client-ip', 'true-client-ip'],
  ...['cf-connecting-ip', 'fastly-client-ip', 'fly-client-ip'],
];

/** Where they, and RFC 7239, say that a request came from. What cannot be read is kept as it is. */
function forwardedFor(headers: FastifyRequest['headers']): string[] {
  const values = FORWARDED_FOR.flatMap((name) => headers[name] ?? []);
  if (values.length === 0 && headers.forwarded === undefined) return values;
  const nodes = [...(headers.forwarded ?? '').matchAll(/(?:^|[;,])\s*for\s*=\s*("[^"]*"|[^;,]*)/gi)].map(
    ([, node = '']) => node,
  );
  const all = [...nodes, ...values.flatMap((value) => value.split(','))];
  return all.map(withoutPort).filter((address) => address !== '');
}

function urlOf(url: string | null | undefined): URL | null {
  return url && URL.canParse(url) ? new URL(url) : null;
}
