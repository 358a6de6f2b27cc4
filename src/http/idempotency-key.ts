import { PROBLEMS, ProblemError } from '../problems.js';

/** 1 to 255 visible ASCII characters. */
const KEY = /^[\x21-\x7e]{1,255}$/;

/**
 * The key in an `Idempotency-Key` header, `null` without one. Bare as most clients send it, or the quoted string of
 * the IETF draft (draft-ietf-httpapi-idempotency-key-header); both forms of one key are one key.
 * @throws {ProblemError} `idempotency-key-invalid`; `idempotency-key-required`, where there must be one
 */
export function idempotencyKeyOf(header: string | string[] | undefined, isRequired: boolean): string | null {
  if (header === undefined) {
    if (!isRequired) return null;
    throw new ProblemError('idempotency-key-required', PROBLEMS['idempotency-key-required'].help);
  }
  const text = [header].flat().join(', ');
  const quoted = /^"(.*)"$/s.exec(text)?.[1];
  const key = quoted === undefined ? text : quoted.replace(/\\(["\\])/g, '$1');
  if (KEY.test(key)) return key;
  throw new ProblemError(
    'idempotency-key-invalid',
    'An Idempotency-Key has 1 to 255 visible ASCII characters, bare or in double quotes.',
  );
}
