/** From the settings of a connection to the node that it goes to. */

import { accessTo, type Target } from './access.js';
import { parseRedisUrl } from './address.js';
import { cluster } from './cluster.js';
import type { Node } from './connector.js';
import { sentinels } from './sentinel.js';

/**
 * @param hashTag what every key has in braces: a Redis Cluster is asked who has it
 * @throws TypeError where the target cannot be read; it quotes nothing of it
 */
export function nodeOf(target: Target, hashTag: string): Node {
  const address = parseRedisUrl(target.url);
  const accesses = accessTo(target);
  const access = async () => (await accesses()).redis;
  const common = { access, isTls: address.tls, db: address.db };
  switch (address.kind) {
    case 'standalone':
      return { ...common, moves: false, locate: async () => address.endpoint };
    case 'sentinel':
      return {
        ...common,
        moves: true,
        locate: sentinels(address.sentinels, address.master, async () => (await accesses()).sentinels),
      };
    case 'cluster':
      return { ...common, moves: true, locate: cluster(address.seeds, hashTag, access) };
  }
}
