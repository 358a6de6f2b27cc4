/** From the settings of a connection to clients that find their node. */

import { type AccessNow, accessTo, type Target } from './access.js';
import { parseRedisUrl } from './address.js';
import { cluster } from './cluster.js';
import { type ClientOptions, type Located, locatedClient } from './connector.js';
import { sentinels } from './sentinel.js';
import { standalone, type Topology } from './topology.js';

const LONGEST_BACKOFF_MS = 2000;

/** Makes the clients of one store; each looks for its node by itself. */
export class Clients {
  readonly topology: Topology;
  readonly db: number;
  readonly #access: AccessNow;
  readonly #isTls: boolean;
  readonly #connectTimeoutMs: number;

  /**
   * @param hashTag what every key has in braces: a Redis Cluster is asked who has it
   * @throws TypeError where the target cannot be read; it quotes nothing of it
   */
  constructor(target: Target, hashTag: string, connectTimeoutMs: number) {
    const address = parseRedisUrl(target.url);
    const access = accessTo(target);
    this.db = address.db;
    this.#access = access.redis;
    this.#isTls = address.tls;
    this.#connectTimeoutMs = connectTimeoutMs;
    if (address.kind === 'standalone') this.topology = standalone(address.endpoint);
    else if (address.kind === 'sentinel') {
      this.topology = sentinels(address.sentinels, address.master, access.sentinels);
    } else this.topology = cluster(address.seeds, hashTag, access.redis);
  }

  make(options: ClientOptions): Located {
    const common = { db: this.db, connectTimeout: this.#connectTimeoutMs };
    return locatedClient(this.topology, this.#access, this.#isTls, { ...common, ...options });
  }
}

/** How long to wait before a node is looked for again. */
export function backoffMs(attempt: number): number {
  return Math.min(25 * 2 ** Math.min(attempt, 10), LONGEST_BACKOFF_MS) * (0.75 + Math.random() / 4);
}
