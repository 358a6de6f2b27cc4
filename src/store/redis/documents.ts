import type { SharedDocument } from '../store.js';

/** A shared document as the scripts return it. */
export type DocumentRow = readonly [
  now: number,
  revision: Buffer | number | null,
  value: Buffer | null,
  swapped?: number,
];

export function documentOf([now, revision, value]: DocumentRow): SharedDocument {
  return { now, revision: Number(revision ?? 0), value: value === null ? null : String(value) };
}
