import { StoreUnavailableError } from '../../store.js';
import type { AccessNow } from './access.js';
import type { Endpoint } from './address.js';
import { askAll } from './ask.js';

/** A node in the answer to CLUSTER SLOTS; without a host it is the one that was asked. What else is known of it is names and values by turns. */
type Node = readonly [host: string | null, port: number, id?: string, more?: readonly string[]];
type Range = readonly [from: number, to: number, master: Node, ...replicas: Node[]];

/** How many nodes are remembered; a large cluster is not asked as a whole. */
const LIMIT = 10;

/**
 * The master of the slot that the hash tag belongs to. Asked are the seeds, the nodes that held the slot last, which know
 * first who took over, and other masters: seeds go in time, and a replica that is out of step is not named by its
 * master, whose death leaves nobody else who knows. The latest view of a node that is not cut off counts.
 */
export function cluster(seeds: readonly Endpoint[], hashTag: string, access: AccessNow) {
  let known: readonly Endpoint[] = [];
  return async (): Promise<Endpoint> => {
    const views = await askAll(distinct([...seeds, ...known]), access, async (client, asked) => {
      const [slot, ranges, info] = await Promise.all([
        client.call('CLUSTER', 'KEYSLOT', `{${hashTag}}`) as Promise<number>,
        client.call('CLUSTER', 'SLOTS') as Promise<Range[]>,
        client.call('CLUSTER', 'INFO') as Promise<string>,
      ]);
      const endpoint = ([host, port, , more]: Node): Endpoint => {
        const name = nameIn(more);
        return { host: host || asked.host, port, ...(name && { name }) };
      };
      const [, , ...holders] = ranges.find(([from, to]) => from <= slot && slot <= to) ?? [];
      return {
        whole: /^cluster_state:ok/m.test(info),
        epoch: Number(/^cluster_current_epoch:(\d+)/m.exec(info)?.[1] ?? 0),
        holders: holders.map(endpoint),
        masters: ranges.map(([, , master]) => endpoint(master)),
      };
    });
    const informed = views.filter(({ holders }) => holders.length > 0);
    const [latest] = informed.sort((a, b) => Number(b.whole) - Number(a.whole) || b.epoch - a.epoch);
    const [master] = latest?.holders ?? [];
    if (latest === undefined || master === undefined) {
      throw new StoreUnavailableError('no node of the cluster knows who has the slot');
    }
    known = distinct([...latest.holders, ...latest.masters]).slice(0, LIMIT);
    return master;
  };
}

/** The hostname that a node announces beside its address (`cluster-announce-hostname`, of Redis 7). */
function nameIn(more: Node[3]): string | undefined {
  return Array.isArray(more) ? more[more.indexOf('hostname') + 1] : undefined;
}

function distinct(endpoints: readonly Endpoint[]): Endpoint[] {
  return [...new Map(endpoints.map((endpoint) => [`${endpoint.host} ${endpoint.port}`, endpoint])).values()];
}
