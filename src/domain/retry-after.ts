/** What headers say of how long to wait (RFC 9110, 10.2.3). */

/** The milliseconds of a `Retry-After`, seconds or an HTTP date, which may be in the past; `null` where it is neither. */
export function retryAfterIn(value: string | undefined, now: number): number | null {
  if (value === undefined) return null;
  const seconds = decimal(value);
  if (seconds !== null) return seconds * 1000;
  const date = httpDate(value);
  return date === null ? null : date - now;
}

/** A number without a sign; `null` for anything else. */
export function decimal(value: string | undefined): number | null {
  return value !== undefined && /^\d{1,20}(\.\d{1,9})?$/.test(value) ? Number(value) : null;
}

/** A date as of RFC 9110, 5.6.7, in ms since the epoch; `null` for anything else. */
export function httpDate(value: string | undefined): number | null {
  if (value === undefined || !/^[A-Za-z]{3,9},? .{1,60}$/.test(value)) return null;
  const time = Date.parse(value);
  return Number.isNaN(time) ? null : time;
}
