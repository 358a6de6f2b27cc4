import type { LookupAddress } from 'node:dns';
import { Resolver } from 'node:dns/promises';

/** For one question to one server. */
const TIMEOUT_MS = 2_000;
const TRIES = 2;

/**
 * Both kinds of addresses of a host name, from the name servers of the machine. The operating system's own look-up
 * holds one of the few threads that files are read with, for as long as a name server of the caller's choice stays
 * silent; this one holds nothing. What only the machine's hosts file knows is not found: it is not on the internet.
 * @throws the resolver's error where there is no address
 */
export function lookupBy(resolver: Pick<Resolver, 'resolve4' | 'resolve6'>) {
  return async (hostname: string): Promise<LookupAddress[]> => {
    const [four, six] = await Promise.allSettled([resolver.resolve4(hostname), resolver.resolve6(hostname)]);
    const found = [
      ...(four.status === 'fulfilled' ? four.value.map((address) => ({ address, family: 4 })) : []),
      ...(six.status === 'fulfilled' ? six.value.map((address) => ({ address, family: 6 })) : []),
    ];
    if (found.length === 0 && four.status === 'rejected') throw four.reason;
    return found;
  };
}

export const resolverLookup = lookupBy(new Resolver({ timeout: TIMEOUT_MS, tries: TRIES }));
