/** Whether `If-None-Match` names an ETag, by weak comparison (RFC 9110 §13.1.2). What cannot be read names none. */
export function isNamed(ifNoneMatch: string, etag: string): boolean {
  if (ifNoneMatch.trim() === '*') return true;
  const opaque = etag.replace(/^W\//, '');
  for (const [, each] of ifNoneMatch.matchAll(/(?:^|,)[ \t]*(?:W\/)?("[^"]*")[ \t]*(?=,|$)/g)) {
    if (each === opaque) return true;
  }
  return false;
}
