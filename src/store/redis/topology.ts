import type { Endpoint } from './address.js';

/** Which node holds the store. */
export interface Topology {
  /** Whether that changes: then what is found must say of itself that it is a master, and is looked for again. */
  readonly changes: boolean;
  /** @throws StoreUnavailableError where nobody knows */
  locate(): Promise<Endpoint>;
}

export function standalone(endpoint: Endpoint): Topology {
  return { changes: false, locate: async () => endpoint };
}
