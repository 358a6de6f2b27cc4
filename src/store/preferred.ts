/** Which avatars are to be claimed before others. */
export type Preferred = Pick<ReadonlySet<string>, 'has' | 'size'>;

/** How many due avatars are looked at beyond those wanted, for some that are preferred. */
export const SPARE = 256;

/** In the same order otherwise. */
export function preferredFirst<T extends { readonly id: string }>(
  due: readonly T[],
  preferred: Preferred,
): T[] {
  if (preferred.size === 0) return [...due];
  const first = due.filter(({ id }) => preferred.has(id));
  return [...first, ...due.filter(({ id }) => !preferred.has(id))];
}
