import type { Outlook } from '../../store/store.js';
import type { Ports } from '../ports.js';
import type { KeyState, Limits } from './limits.js';

/** How the upstream and what waits for it stand, for operators. */
export interface UpstreamState {
  /** `open`: calls are held back, since Modellix failed again and again, or has no route for submits. */
  readonly breaker: 'closed' | 'open';
  /** The path that submits go by; `isHeld`: Modellix has no route for any form of it, and they are held. */
  readonly submitPath: Limits['submitPath'];
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
    submitPath: limits.submitPath,
    queued: outlook.queued,
    queuedBytes: outlook.queuedBytes,
    keys: ids.map((id) => ({ ...limits.keyState(id), unfinished: unfinished(outlook, id) })),
  };
}

function unfinished({ keys }: Outlook, id: string): number {
  return keys.get(id)?.slots ?? 0;
}
