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

interface Accesses {
  readonly redis: Access;
  readonly sentinels: Access;
}

/**
 * What is in files is taken as it is then. One that is away, or holds what cannot be understood, changes nothing: it may be half written.
 * @throws TypeError where the target cannot be read; it quotes nothing of it
 */
export function accessTo(target: Target): () => Promise<Accesses> {
  let texts: Partial<Target> = {};
  const { tls } = parseRedisUrl(target.url);
  let last = accessesOf(target, tls);
  return async () => {
    for (const [name, file] of Object.entries(target.files ?? {})) {
      const found = file === undefined ? null : await findFile(file);
      if (found?.kind !== 'text') continue;
      const changed = { ...texts, [name]: found.text.trim() };
      try {
        last = accessesOf({ ...target, ...changed }, tls);
        texts = changed;
      } catch {
        // Whoever wrote it will write it again.
      }
    }
    return last;
  };
}

function accessesOf({ url, sentinelPassword, tlsCa, tlsServername }: Target, isTls: boolean): Accesses {
  const { username, password } = parseRedisUrl(url);
  const ca = tlsCa === undefined ? {} : { ca: authority(tlsCa) };
  const tls = isTls ? { ...ca, ...(tlsServername !== undefined && { servername: tlsServername }) } : null;
  return {
    redis: { username, password, tls },
    sentinels: { username: null, password: sentinelPassword || null, tls },
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
