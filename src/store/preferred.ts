/** How many due avatars are looked at beyond those wanted, for some that are preferred. */
export const SPARE = 256;

/** In the same order otherwise. */
export function preferredFirst<T extends { readonly id: string }>(
  due: readonly T[],
  preferred: Pick<ReadonlySet<string>, 'has'>,
): T[] {
  const first = due.filter(({ id }) => preferred.has(id));
  return [...first, ...due.filter(({ id }) => !preferred.has(id))];
}
