import { unwatchFile, watchFile } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { KeyPool, type Keyring } from './keyring.js';

/** A changed file is noticed this soon: by its times, so that a file put in its place, or a link to another, counts. */
const LOOK_EVERY_MS = 1_000;

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
 * A pool of the keys in a file, read again when the file changes.
 * @param secrets what it held when it was read at the start
 */
export function watchKeyFile(
  path: string,
  secrets: readonly string[],
  onEvent: (event: KeyFileEvent) => void,
): Keyring {
  const pool = new KeyPool(secrets);
  let closed = false;
  let reading = Promise.resolve();
  const read = async () => {
    const event = await readInto(pool, path);
    if (event !== null && !closed) onEvent(event);
  };
  const look = () => {
    reading = reading.then(read);
  };
  watchFile(path, { interval: LOOK_EVERY_MS, persistent: false }, look);
  look(); // for what changed since `secrets` was read
  return {
    keys: () => pool.keys(),
    get: (id) => pool.get(id),
    onChange: (listener) => pool.onChange(listener),
    close() {
      closed = true;
      unwatchFile(path, look);
      pool.close();
    },
  };
}

async function readInto(pool: KeyPool, path: string): Promise<KeyFileEvent | null> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    return { kind: 'unusable', reason: (error as NodeJS.ErrnoException).code ?? 'it cannot be read' };
  }
  const keys = keysIn(text);
  if (keys.length === 0) return { kind: 'unusable', reason: 'it holds no key' };
  try {
    return pool.replace(keys) ? { kind: 'changed', keys: pool.keys().length } : null;
  } catch {
    return { kind: 'unusable', reason: 'a key in it is not visible ASCII characters' };
  }
}
