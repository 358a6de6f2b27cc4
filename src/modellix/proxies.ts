/** Which proxy leads to a host, by the variables that curl reads. */

import { BlockList, isIP } from 'node:net';

export interface ForwardProxy {
  /** `http://host:port` or `https://host:port`; without the login. */
  readonly origin: string;
  /** The value of `Proxy-Authorization`, which is a secret; `null` where there is no login. */
  readonly authorization: string | null;
}

/** Where a connection is to lead, as a `URL` has it. */
export interface Destination {
  readonly protocol: string;
  readonly hostname: string;
  readonly port: string;
}

/** The proxy on the way to somewhere; `null` where there is none. */
export type ProxyFor = (to: Destination) => ForwardProxy | null;

export interface ProxySettings {
  /** For `http:` and for `https:`: URLs, or `host:port`. */
  readonly http?: string | undefined;
  readonly https?: string | undefined;
  /** Hosts that are reached directly, as in NO_PROXY. */
  readonly except?: string | undefined;
}

const LOCAL = exceptionIn('localhost');
const LOOPBACK = [exceptionIn('127.0.0.0/8'), exceptionIn('::1')];

/**
 * This machine is always reached directly. What cannot be read in the exceptions is left out: the variable is for all programs.
 * @throws {TypeError} for a proxy that cannot be read; see {@link parseProxy}
 */
export function readProxies({ http, https, except = '' }: ProxySettings): ProxyFor {
  const proxies = new Map([
    ['http:', http === undefined ? null : parseProxy(http)],
    ['https:', https === undefined ? null : parseProxy(https)],
  ]);
  const exceptions = [LOCAL, ...LOOPBACK, ...except.split(/[\s,]+/).map(exceptionIn)];
  return ({ protocol, hostname, port }) => {
    const to = { protocol, hostname: hostname.replace(/^\[|\]$/g, ''), port };
    return exceptions.some((isException) => isException(to)) ? null : (proxies.get(protocol) ?? null);
  };
}

/** @throws {TypeError} which quotes nothing: the URL may hold a password */
export function parseProxy(text: string): ForwardProxy {
  const spelled = /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text}`;
  const url = URL.canParse(spelled) ? new URL(spelled) : null;
  const isWhole = url !== null && url.pathname.length <= 1 && url.search === '' && url.hash === '';
  if (!isWhole || !/^https?:$/.test(url.protocol)) {
    throw new TypeError('must be http:// or https://, perhaps a login, a host and a port, and nothing else');
  }
  const { username, password } = url;
  const login = `${decoded(username)}:${decoded(password)}`;
  const authorization = login === ':' ? null : `Basic ${Buffer.from(login).toString('base64')}`;
  return { origin: url.origin, authorization };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new TypeError('has a login that is not percent-encoded');
  }
}

/** One of NO_PROXY: `*`, a name that stands for those below it too, an address, or a network; a name perhaps with a port. */
function exceptionIn(entry: string): (to: Destination) => boolean {
  if (entry === '*') return () => true;
  const [, address = '', bits] = /^\[?([^\]/]+)\]?(?:\/(\d{1,3}))?$/.exec(entry) ?? [];
  const version = isIP(address);
  if (version !== 0) {
    const longest = version === 4 ? 32 : 128;
    const network = new BlockList();
    network.addSubnet(address, Math.min(Number(bits ?? longest), longest), `ipv${version}` as 'ipv4');
    return ({ hostname }) => {
      const family = isIP(hostname);
      return family !== 0 && network.check(hostname, `ipv${family}` as 'ipv4');
    };
  }
  const [, name = '', port = ''] = /^(?:\*?\.)?([^:]+)(?::(\d{1,5}))?$/.exec(entry.toLowerCase()) ?? [];
  if (name === '') return () => false;
  return ({ protocol, hostname, port: asked }) =>
    `.${hostname}`.endsWith(`.${name}`) &&
    (port === '' || Number(port) === Number(asked || (protocol === 'https:' ? 443 : 80)));
}
