/** Small texts that are replaced as a whole, each with its revision. */

import type { Transaction } from './commit.js';
import { documentKey } from './keys.js';

export interface Document {
  readonly value: string | null;
  readonly revision: number;
}

export function readDocument(tx: Transaction, name: string): Document {
  const bytes = tx.get(documentKey(name));
  return bytes === undefined ? { value: null, revision: 0 } : (JSON.parse(bytes.toString()) as Document);
}

/** Replaces it if it is still at `revision`; says whether it did, and what there is then. */
export function swapDocument(
  tx: Transaction,
  name: string,
  revision: number,
  value: string,
): Document & { readonly swapped: boolean } {
  const found = readDocument(tx, name);
  if (found.revision !== revision) return { ...found, swapped: false };
  const next: Document = { value, revision: revision + 1 };
  tx.put(documentKey(name), Buffer.from(JSON.stringify(next)));
  return { ...next, swapped: true };
}
