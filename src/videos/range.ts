/** Bytes of a file, both ends included; `none`: it has none of those that are wanted. */
export type Span = 'all' | 'none' | { readonly first: number; readonly last: number };

/**
 * What a `Range` asks for of a file that is not empty (RFC 9110, 14.1.2). One range is answered; several, another unit and
 * what is not valid are as if nothing was asked for, as 14.2 allows. range-parser does not serve: 2.0 needs Node 22, and
 * 1.2 finds nothing in a suffix that is longer than the file.
 */
export function spanOf(range: string | undefined, size: number): Span {
  const [, from, to] = /^bytes=[ \t]*(\d*)-(\d*)[ \t]*$/i.exec(range ?? '') ?? [];
  if (from === undefined || to === undefined || from + to === '') return 'all';
  if (from === '')
    return Number(to) === 0 ? 'none' : { first: Math.max(0, size - Number(to)), last: size - 1 };
  const first = Number(from);
  if (to !== '' && Number(to) < first) return 'all';
  if (first >= size) return 'none';
  return { first, last: to === '' ? size - 1 : Math.min(Number(to), size - 1) };
}

/** Whether what a caller has parts of is what is here (RFC 9110, 13.1.5): compared strongly, as it stands there. */
export function isSame(
  ifRange: string | undefined,
  { etag, lastModified }: { readonly etag: string; readonly lastModified: string },
): boolean {
  return ifRange === undefined || ifRange === etag || ifRange === lastModified;
}
