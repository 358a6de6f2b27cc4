/**
 * The number of the form of a record, in decimal and a space in front of it. They stay where they are in every release, so that
 * any release, and a Lua script, can tell whether a record is of its time before it reads the rest.
 */

/** The schema this release writes, and the highest it reads. Raised when an older release would misread. */
export const SCHEMA = 4;

/** `null` where there is none. */
export function schemaOf(bytes: Uint8Array): number | null {
  const digits = Buffer.from(bytes.subarray(0, 16))
    .toString('latin1')
    .match(/^([1-9]\d{0,8}) /)?.[1];
  return digits === undefined ? null : Number(digits);
}

/** Whether a newer release wrote it: it is left as it is. */
export function isNewer(bytes: Uint8Array): boolean {
  return (schemaOf(bytes) ?? 0) > SCHEMA;
}
