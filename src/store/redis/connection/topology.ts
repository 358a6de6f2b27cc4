import type { Endpoint } from './address.js';

/** Which node holds the store. */
export interface Topology {
  /** Whether others say so, and may say another one a moment later: then they are asked now and then. */
  readonly changes: boolean;
  /** @throws StoreUnavailableError where nobody knows */
  locate(): Promise<Endpoint>;
}

export function standalone(endpoint: Endpoint): Topology {
  return { changes: false, locate: async () => endpoint };
}
