import { unwatchFile, watchFile } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { KeyPool, type Keyring } from './keyring.js';

/** A changed file is noticed this soon: by its times, so that a file put in its place, or a link to another, counts. */
const LOOK_EVERY_MS = 1_000;

export type KeyFileEvent =
  | { readonly kind: 'changed'; readonly keys: number }
  /** The keys of before go on. `reason` quotes nothing of the file. */
  | { readonly kind: 'unusable'; readonly reason: string };

/** The keys in a file: separated by commas or line breaks; what follows a `#` at the start of a line is a comment. */
export function keysIn(text: string): string[] {
  return text
    .split(/\r?\n/)
    .filter((line) => !line.trimStart().startsWith('#'))
    .flatMap((line) => line.split(','))
    .map((key) => key.trim())
    .filter((key) => key !== '');
}

/**
 * A pool of the keys in a file, read again when the file changes.
 * @param secrets what it held when it was read at the start
 */
export function watchKeyFile(
  path: string,
  secrets: readonly string[],
  onEvent: (event: KeyFileEvent) => void,
): Keyring {
  const pool = new KeyPool(secrets);
  let reading = Promise.resolve();
  const read = async () => {
    try {
      const keys = keysIn(await readFile(path, 'utf8'));
      if (keys.length === 0) onEvent({ kind: 'unusable', reason: 'it holds no key' });
      else if (pool.replace(keys)) onEvent({ kind: 'changed', keys: pool.keys().length });
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code;
      onEvent({ kind: 'unusable', reason: code ?? 'a key in it is not visible ASCII characters' });
    }
  };
  const look = () => {
    reading = reading.then(read);
  };
  watchFile(path, { interval: LOOK_EVERY_MS, persistent: false }, look);
  return {
    keys: () => pool.keys(),
    get: (id) => pool.get(id),
    onChange: (listener) => pool.onChange(listener),
    close() {
      unwatchFile(path, look);
      pool.close();
    },
  };
}
