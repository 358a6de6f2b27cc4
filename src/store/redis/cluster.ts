import { StoreUnavailableError } from '../store.js';
import type { Endpoint } from './address.js';
import { type Access, askAll } from './ask.js';
import type { Topology } from './topology.js';

/** A node in the answer to CLUSTER SLOTS; without a host it is the one that was asked. */
type Node = readonly [host: string | null, port: number, ...rest: unknown[]];
type Range = readonly [from: number, to: number, master: Node, ...replicas: Node[]];

/**
 * The master of the slot that the hash tag belongs to. The seeds are asked, and the nodes that held the slot last: seeds
 * go in time, and these know first who took over. The latest view of a node that is not cut off counts.
 */
export function cluster(seeds: readonly Endpoint[], hashTag: string, access: Access): Topology {
  let holders: readonly Endpoint[] = [];
  return {
    changes: true,
    async locate() {
      const views = await askAll(distinct([...seeds, ...holders]), access, async (client, asked) => {
        const [slot, ranges, info] = await Promise.all([
          client.call('CLUSTER', 'KEYSLOT', `{${hashTag}}`) as Promise<number>,
          client.call('CLUSTER', 'SLOTS') as Promise<Range[]>,
          client.call('CLUSTER', 'INFO') as Promise<string>,
        ]);
        const range = ranges.find(([from, to]) => from <= slot && slot <= to);
        const nodes = (range?.slice(2) ?? []) as Node[];
        return {
          whole: /^cluster_state:ok/m.test(info),
          epoch: Number(/^cluster_current_epoch:(\d+)/m.exec(info)?.[1] ?? 0),
          nodes: nodes.map(([host, port]) => ({ host: host || asked.host, port })),
        };
      });
      const known = views.filter(({ nodes }) => nodes.length > 0);
      const [latest] = known.sort((a, b) => Number(b.whole) - Number(a.whole) || b.epoch - a.epoch);
      const [master] = latest?.nodes ?? [];
      if (latest === undefined || master === undefined) {
        throw new StoreUnavailableError('no node of the cluster knows who has the slot');
      }
      holders = latest.nodes;
      return master;
    },
  };
}

function distinct(endpoints: readonly Endpoint[]): Endpoint[] {
  return [...new Map(endpoints.map((endpoint) => [`${endpoint.host} ${endpoint.port}`, endpoint])).values()];
}
