/** How many due avatars are looked at beyond those wanted, for some that are preferred. */
export const SPARE = 256;

/** In the same order otherwise. */
export function preferredFirst(due: readonly string[], isPreferred: (id: string) => boolean): string[] {
  return [...due.filter(isPreferred), ...due.filter((id) => !isPreferred(id))];
}
