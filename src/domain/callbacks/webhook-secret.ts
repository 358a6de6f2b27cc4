/** What messages are signed with (Standard Webhooks 1.0, https://www.standardwebhooks.com). */

const PREFIX = 'whsec_';
/** As the standard has it, "Signature scheme". */
const MIN_BYTES = 24;
const MAX_BYTES = 64;

/**
 * The key in `whsec_<base64>`.
 * @throws {TypeError} that does not show it, where it is none of 24 to 64 bytes
 */
export function readSecret(text: string): Buffer {
  const base64 = text.startsWith(PREFIX) ? text.slice(PREFIX.length) : '';
  const key = Buffer.from(base64, 'base64');
  // Node reads over what is no base64.
  if (key.toString('base64') !== base64 || key.length < MIN_BYTES || key.length > MAX_BYTES) {
    throw new TypeError(`is not ${PREFIX} and the base64 of ${MIN_BYTES} to ${MAX_BYTES} bytes`);
  }
  return key;
}

/**
 * Secrets separated by commas, as they stand; none for an empty text.
 * @throws {TypeError} as {@link readSecret}, saying which
 */
export function parseSecrets(text: string): readonly string[] {
  const secrets = text === '' ? [] : text.split(',');
  for (const [at, secret] of secrets.entries()) {
    try {
      readSecret(secret);
    } catch (error) {
      throw new TypeError(`secret ${at + 1} of ${secrets.length} ${(error as Error).message}`);
    }
  }
  return secrets;
}
