import { followFile } from '../disk/follow-file.js';
import type { Found } from '../disk/small-file.js';
import { KeyPool, type Keyring } from './keyring.js';

export type KeyFileEvent =
  | { readonly kind: 'changed'; readonly keys: number }
  /** The keys of before go on. `reason` quotes nothing of the file. */
  | { readonly kind: 'unusable'; readonly reason: string };

/** The keys in a file: separated by commas or line breaks. A `#` at the start of a line or after a blank begins a comment. */
export function keysIn(text: string): string[] {
  return text
    .split(/\r?\n/)
    .flatMap((line) => line.replace(/(^|\s)#.*$/, '').split(','))
    .map((key) => key.trim())
    .filter((key) => key !== '');
}

/**
 * A pool that follows a file.
 * @param secrets what it held when it was read at the start
 */
export function watchKeyFile(
  path: string,
  secrets: readonly string[],
  onEvent: (event: KeyFileEvent) => void,
): Keyring {
  const pool = new KeyPool(secrets);
  const file = followFile(path, (found) => {
    const event = take(pool, found);
    if (event !== null) onEvent(event);
  });
  return {
    keys: () => pool.keys(),
    get: (id) => pool.get(id),
    onChange: (listener) => pool.onChange(listener),
    close() {
      file.close();
      pool.close();
    },
  };
}

function take(pool: KeyPool, found: Found): KeyFileEvent | null {
  if (found.kind === 'error') return { kind: 'unusable', reason: found.reason };
  const keys = keysIn(found.text);
  if (keys.length === 0) return { kind: 'unusable', reason: 'it holds no key' };
  try {
    return pool.replace(keys) ? { kind: 'changed', keys: pool.keys().length } : null;
  } catch {
    return { kind: 'unusable', reason: 'a key in it is not visible ASCII characters' };
  }
}
