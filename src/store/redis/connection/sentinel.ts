import { StoreUnavailableError } from '../../store.js';
import type { AccessNow } from './access.js';
import type { Endpoint } from './address.js';
import { askAll } from './ask.js';

/**
 * The master that the sentinels agreed on last. All of them are asked, and the latest configuration counts: a sentinel
 * that was cut off together with the old master still names that one.
 */
export function sentinels(endpoints: readonly Endpoint[], name: string, access: AccessNow) {
  return async (): Promise<Endpoint> => {
    const answers = await askAll(endpoints, access, async (client) => {
      const [address, state] = await Promise.all([
        client.call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', name) as Promise<[string, string] | null>,
        client.call('SENTINEL', 'MASTER', name) as Promise<string[]>,
      ]);
      // Names and values by turns.
      const epoch = Number(state[state.indexOf('config-epoch') + 1]);
      return address && { host: address[0], port: Number(address[1]), epoch };
    });
    const known = answers.flatMap((answer) => answer ?? []);
    const [latest] = known.sort((a, b) => b.epoch - a.epoch);
    if (latest === undefined) throw new StoreUnavailableError('no sentinel knows the master');
    return latest;
  };
}
