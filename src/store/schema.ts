/**
 * The number of the form of a record, in decimal and a space in front of it. They stay where they are in every release, so that
 * any release, and a Lua script, can tell whether a record is of its time before it reads the rest.
 */

/** The schema this release writes, and the highest it reads. Raised when an older release would misread. */
export const SCHEMA = 5;

/** `null` where there is none. */
export function schemaOf(bytes: Uint8Array): number | null {
  let [schema, at] = [0, 0];
  for (let digit = digitAt(bytes, 0); digit !== null && at < 9; digit = digitAt(bytes, at)) {
    schema = 10 * schema + digit;
    at += 1;
  }
  return schema > 0 && digitAt(bytes, 0) !== 0 && bytes[at] === 0x20 ? schema : null;
}

function digitAt(bytes: Uint8Array, at: number): number | null {
  const digit = (bytes[at] ?? 0) - 0x30;
  return digit >= 0 && digit <= 9 ? digit : null;
}

/** Whether a newer release wrote it: it is left as it is. */
export function isNewer(bytes: Uint8Array): boolean {
  return (schemaOf(bytes) ?? 0) > SCHEMA;
}
