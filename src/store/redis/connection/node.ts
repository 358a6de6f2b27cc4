/** Which node holds the store, and how it is talked to. */

import { type AccessNow, accessTo, type Target } from './access.js';
import { type Endpoint, parseRedisUrl } from './address.js';
import { cluster } from './cluster.js';
import { sentinels } from './sentinel.js';

export interface Node {
  /** Asked for each connection. @throws StoreUnavailableError where nobody knows */
  readonly locate: () => Promise<Endpoint>;
  /** Whether others say where it is, and may say another one a moment later: then they are asked now and then. */
  readonly moves: boolean;
  readonly access: AccessNow;
  readonly isTls: boolean;
  readonly db: number;
}

/**
 * @param hashTag what every key has in braces: a Redis Cluster is asked who has it
 * @throws TypeError where the target cannot be read; it quotes nothing of it
 */
export function nodeOf(target: Target, hashTag: string): Node {
  const address = parseRedisUrl(target.url);
  const { redis: access, sentinels: sentinelAccess } = accessTo(target);
  const common = { access, isTls: address.tls, db: address.db };
  switch (address.kind) {
    case 'standalone':
      return { ...common, moves: false, locate: async () => address.endpoint };
    case 'sentinel':
      return { ...common, moves: true, locate: sentinels(address.sentinels, address.master, sentinelAccess) };
    case 'cluster':
      return { ...common, moves: true, locate: cluster(address.seeds, hashTag, access) };
  }
}
