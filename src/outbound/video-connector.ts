import { lookup as systemLookup } from 'node:dns/promises';
import { buildConnector } from 'undici';
import type { Network } from './addresses.js';
import { guardedConnector, type Lookup } from './connector.js';

export interface VideoConnectorOptions {
  /** Name look-up, TCP and TLS. */
  readonly connectTimeoutMs: number;
  /** Where Modellix is, as `https://host:port`: it may be anywhere. Another port of the same host may not. */
  readonly vendorOrigin: string;
  /** What else may be connected to besides the public internet. */
  readonly allowedNetworks: readonly Network[];
  /**
   * The system's where not given: unlike the hosts that callers name, those of videos are few, and may be known to this machine
   * alone.
   */
  readonly lookup?: Lookup;
}

/** Connects to the hosts of videos. Connections may be used again: each was checked when it was made. */
export function videoConnector(options: VideoConnectorOptions): buildConnector.connector {
  const { connectTimeoutMs, vendorOrigin, allowedNetworks, lookup = systemLookup } = options;
  const vendor = buildConnector({ timeout: connectTimeoutMs, allowH2: false });
  const guarded = guardedConnector({ lookup, allowedNetworks }, { timeoutMs: connectTimeoutMs });
  return (to, callback) => (`${to.protocol}//${to.host}` === vendorOrigin ? vendor : guarded)(to, callback);
}
