import { readFile } from 'node:fs/promises';
import { KeyPool, type Keyring } from './keyring.js';

/** Two looks in a row must find the same before it counts: a file may be met while somebody writes it. */
const LOOK_EVERY_MS = 500;

export type KeyFileEvent =
  | { readonly kind: 'changed'; readonly keys: number }
  /** The keys of before go on. `reason` quotes nothing of the file. */
  | { readonly kind: 'unusable'; readonly reason: string };

/** What a look found: the file's text, or why there is none. */
interface Content {
  readonly kind: 'text' | 'error';
  readonly text: string;
}

/** The keys in a file: separated by commas or line breaks. A `#` at the start of a line or after a blank begins a comment. */
export function keysIn(text: string): string[] {
  return text
    .split(/\r?\n/)
    .flatMap((line) => line.replace(/(^|\s)#.*$/, '').split(','))
    .map((key) => key.trim())
    .filter((key) => key !== '');
}

/**
 * A pool that follows a file. It goes by what the file holds, not by its times or its place: a file put over it
 * and a link that leads elsewhere (a volume of Kubernetes) are changes, writing the same again is none.
 * @param secrets what it held when it was read at the start
 */
export function watchKeyFile(
  path: string,
  secrets: readonly string[],
  onEvent: (event: KeyFileEvent) => void,
): Keyring {
  const pool = new KeyPool(secrets);
  let closed = false;
  let timer: NodeJS.Timeout | undefined;
  let last: Content | null = null;
  let taken: Content | null = null;
  const look = async () => {
    const content = await read(path);
    if (closed) return;
    if (isSame(content, last) && !isSame(content, taken)) {
      taken = content;
      const event = take(pool, content);
      if (event !== null) onEvent(event);
    }
    last = content;
    timer = setTimeout(look, LOOK_EVERY_MS).unref();
  };
  void look();
  return {
    keys: () => pool.keys(),
    get: (id) => pool.get(id),
    onChange: (listener) => pool.onChange(listener),
    close() {
      closed = true;
      clearTimeout(timer);
      pool.close();
    },
  };
}

async function read(path: string): Promise<Content> {
  try {
    return { kind: 'text', text: await readFile(path, 'utf8') };
  } catch (error) {
    return { kind: 'error', text: (error as NodeJS.ErrnoException).code ?? 'it cannot be read' };
  }
}

function isSame(one: Content, other: Content | null): boolean {
  return one.kind === other?.kind && one.text === other.text;
}

function take(pool: KeyPool, { kind, text }: Content): KeyFileEvent | null {
  if (kind === 'error') return { kind: 'unusable', reason: text };
  const keys = keysIn(text);
  if (keys.length === 0) return { kind: 'unusable', reason: 'it holds no key' };
  try {
    return pool.replace(keys) ? { kind: 'changed', keys: pool.keys().length } : null;
  } catch {
    return { kind: 'unusable', reason: 'a key in it is not visible ASCII characters' };
  }
}
