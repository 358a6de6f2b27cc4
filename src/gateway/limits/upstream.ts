import type { Outlook } from '../../store/store.js';
import type { Ports } from '../ports.js';
import type { KeyState } from './limits.js';

/** How the upstream and what waits for it stand, for operators. */
export interface UpstreamState {
  /** `open`: Modellix failed again and again, and is left alone for a moment. */
  readonly breaker: 'closed' | 'open';
  readonly queued: number;
  readonly queuedBytes: number;
  readonly keys: readonly (KeyState & { readonly unfinished: number })[];
}

/** As of now for the store's part; what was learned of the limits may be a second old. @throws {StoreUnavailableError} */
export async function upstreamState({ store, keyring, limits }: Ports): Promise<UpstreamState> {
  const ids = keyring.keys().map(({ id }) => id);
  const outlook = await store.outlook(ids);
  await limits.refresh();
  return {
    breaker: limits.isOpen ? 'open' : 'closed',
    queued: outlook.queued,
    queuedBytes: outlook.queuedBytes,
    keys: ids.map((id) => ({ ...limits.keyState(id), unfinished: unfinished(outlook, id) })),
  };
}

function unfinished({ keys }: Outlook, id: string): number {
  return keys.get(id)?.slots ?? 0;
}
