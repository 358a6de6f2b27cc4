import type { LookupAddress, LookupAllOptions } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import { buildConnector } from 'undici';
import { mayConnectTo, type Network } from './addresses.js';

/** All addresses of a host name: that of node:dns/promises, or a test's. */
export type Lookup = (hostname: string, options: LookupAllOptions) => Promise<readonly LookupAddress[]>;

export interface Guard {
  readonly lookup: Lookup;
  /** What may be connected to besides the public internet. */
  readonly allowedNetworks: readonly Network[];
}

export class AddressNotAllowedError extends Error {
  override readonly name = 'AddressNotAllowedError';
}

/** The same words for every address, so that they tell nothing about what is inside. */
export const NOT_PUBLIC = 'leads to an address that is not on the public internet';

/** RFC 6761, 6.3: these are loopback everywhere, and not to be asked for. */
const LOCALHOST = /(^|\.)localhost\.?$/;
const LOOPBACK: readonly LookupAddress[] = [
  { address: '127.0.0.1', family: 4 },
  { address: '::1', family: 6 },
];

/**
 * Where a host name leads.
 * @param hints of `node:dns`
 * @throws {AddressNotAllowedError} where that is not only what {@link mayConnectTo} passes; the look-up's errors
 */
export async function addressesOf(
  { lookup, allowedNetworks }: Guard,
  hostname: string,
  hints?: number,
): Promise<LookupAddress[]> {
  const known = LOCALHOST.test(hostname) ? LOOPBACK : null;
  const addresses = known ?? (await lookup(hostname, { all: true, hints }));
  if (addresses.length === 0) throw Object.assign(new Error('no address'), { code: 'ENOTFOUND' });
  if (!addresses.every(({ address }) => mayConnectTo(address, allowedNetworks))) {
    throw new AddressNotAllowedError();
  }
  return [...addresses];
}

/**
 * Connects to nothing but what {@link mayConnectTo} passes, else fails with {@link AddressNotAllowedError}.
 *
 * The check sits between look-up and connect, so that the addresses checked are those connected to: a name that
 * means another address a moment later (DNS rebinding) gains nothing. One address that is not allowed spoils
 * the whole name, since which of them is taken is not up to us.
 * @param end `signal` destroys the socket at any time; `timeoutMs` is for the look-up and the connection
 */
export function guardedConnector(
  guard: Guard,
  end: { readonly signal: AbortSignal } | { readonly timeoutMs: number },
): buildConnector.connector {
  const checkedLookup: LookupFunction = (hostname, { hints }, callback) => {
    addressesOf(guard, hostname, hints).then(
      (addresses) => callback(null, addresses),
      (error: NodeJS.ErrnoException) => callback(error, []),
    );
  };
  const connect = buildConnector({
    lookup: checkedLookup,
    ...('signal' in end ? { signal: end.signal, timeout: 0 } : { timeout: end.timeoutMs }),
    // Makes net ask for all addresses of a name, which is what the look-up answers with.
    autoSelectFamily: true,
    allowH2: false,
    maxCachedSessions: 0,
  });
  return (options, callback) => {
    // net looks up no literal. In another turn: undici would not expect it to fail before it returns.
    if (isIP(options.hostname) !== 0 && !mayConnectTo(options.hostname, guard.allowedNetworks)) {
      setImmediate(callback, new AddressNotAllowedError(), null);
      return;
    }
    connect(options, callback);
  };
}
