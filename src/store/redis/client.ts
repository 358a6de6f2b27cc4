/** From the settings of a connection to clients that find their node. */

import { X509Certificate } from 'node:crypto';
import { Redis, type RedisOptions } from 'ioredis';
import { parseRedisUrl } from './address.js';
import type { Access } from './ask.js';
import { cluster } from './cluster.js';
import { Way } from './connector.js';
import { sentinels } from './sentinel.js';
import { standalone, type Topology } from './topology.js';

export interface Target {
  /** It may hold a password: it is never in an error, an event or a log line. `parseRedisUrl` says what it can be. */
  readonly url: string;
  /** What the sentinels ask for; user and password in the URL are for Redis. */
  readonly sentinelPassword?: string | undefined;
  /** PEM: the authority, or authorities, that may have signed the certificates, in place of the public ones. */
  readonly tlsCa?: string | undefined;
  /** What every key has in braces. A Redis Cluster is asked who has it. */
  readonly hashTag?: string | undefined;
}

/** Replies stay as Redis has them. */
type ClientOptions = Omit<RedisOptions, 'replyMapping'>;

const LONGEST_BACKOFF_MS = 2000;

/** Makes the clients of one store; each looks for its node by itself. */
export class Clients {
  readonly topology: Topology;
  readonly db: number;
  readonly #common: ClientOptions;

  /** @throws TypeError where the target cannot be read; it quotes nothing of it */
  constructor({ url, sentinelPassword, tlsCa, hashTag }: Target, connectTimeoutMs: number) {
    const address = parseRedisUrl(url);
    const { username, password, db } = address;
    const tls = address.tls ? { tls: tlsCa === undefined ? {} : { ca: authority(tlsCa) } } : {};
    const login = { ...(username !== null && { username }), ...(password !== null && { password }) };
    const access: Access = { ...tls, ...login };
    const ofSentinels: Access = { ...tls, ...(sentinelPassword && { password: sentinelPassword }) };
    this.db = db;
    // Without the name and version of the client, which take a right of their own to be told.
    this.#common = { ...access, db, connectTimeout: connectTimeoutMs, disableClientInfo: true };
    if (address.kind === 'standalone') this.topology = standalone(address.endpoint);
    else if (address.kind === 'sentinel') {
      this.topology = sentinels(address.sentinels, address.master, ofSentinels);
    } else {
      if (hashTag === undefined) throw new TypeError('a Redis Cluster needs the hash tag of the keys');
      this.topology = cluster(address.seeds, hashTag, access);
    }
  }

  make(options: ClientOptions): { readonly client: Redis; readonly way: Way } {
    const way = new Way(this.topology, this.#common.tls);
    return { way, client: new Redis({ ...this.#common, ...options, Connector: way.Connector }) };
  }
}

/** How long to wait before a node is looked for again. */
export function backoffMs(attempt: number): number {
  return Math.min(25 * 2 ** Math.min(attempt, 10), LONGEST_BACKOFF_MS) * (0.75 + Math.random() / 4);
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
