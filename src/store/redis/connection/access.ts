/** How Redis and its sentinels are talked to, as it is now: what is in files is read again for each connection. */

import { X509Certificate } from 'node:crypto';
import { findFile } from '../../../disk/small-file.js';
import { parseRedisUrl } from './address.js';

export interface Target {
  /** It may hold a password: it is never in an error, an event or a log line. `parseRedisUrl` says what it can be. */
  readonly url: string;
  /** What the sentinels ask for; user and password in the URL are for Redis. */
  readonly sentinelPassword?: string | undefined;
  /** PEM: the authority, or authorities, that may have signed the certificates, in place of the public ones. */
  readonly tlsCa?: string | undefined;
  /** The name that every certificate is for, where that is not the host that is connected to. */
  readonly tlsServername?: string | undefined;
  /** Files that the above came from. Of a URL only the user and the password are read again. */
  readonly files?: { readonly [name in 'url' | 'sentinelPassword' | 'tlsCa']?: string | undefined };
}

export interface Tls {
  readonly ca?: string;
  readonly servername?: string;
}

export interface Access {
  readonly username: string | null;
  readonly password: string | null;
  /** `null`: without TLS. */
  readonly tls: Tls | null;
}

/** Asked for each connection. */
export type AccessNow = () => Promise<Access>;

/** @throws TypeError where the target cannot be read; it quotes nothing of it */
export function accessTo(target: Target): { readonly redis: AccessNow; readonly sentinels: AccessNow } {
  const { url, sentinelPassword, tlsCa, tlsServername, files = {} } = target;
  const address = parseRedisUrl(url);
  const login = followed(address, files.url, parseRedisUrl);
  const password = followed(sentinelPassword || null, files.sentinelPassword, (text) => text || null);
  const ca = followed(tlsCa === undefined ? undefined : authority(tlsCa), files.tlsCa, authority);
  const tls = async (): Promise<Tls | null> => {
    const known = await ca();
    const name = tlsServername === undefined ? {} : { servername: tlsServername };
    return address.tls ? { ...(known !== undefined && { ca: known }), ...name } : null;
  };
  return {
    async redis() {
      const { username, password } = await login();
      return { username, password, tls: await tls() };
    },
    sentinels: async () => ({ username: null, password: await password(), tls: await tls() }),
  };
}

/** What a file says now. One that is away or cannot be understood changes nothing: it may be half written. */
function followed<T>(initial: T, file: string | undefined, read: (text: string) => T): () => Promise<T> {
  let last = initial;
  return async () => {
    const found = file === undefined ? null : await findFile(file);
    if (found?.kind !== 'text') return last;
    try {
      last = read(found.text.trim());
    } catch {
      // Whoever wrote it will write it again.
    }
    return last;
  };
}

/** Read here once: Node takes what is no certificate for none, and then trusts nobody. */
function authority(pem: string): string {
  try {
    new X509Certificate(pem);
  } catch {
    throw new TypeError('the certificate authority of Redis cannot be read');
  }
  return pem;
}
