import { readFile, stat } from 'node:fs/promises';

/** Settings are no longer than this, in bytes: what is, was named by mistake. */
const MAX_BYTES = 1_000_000;

/** What there was where a file should be: its text, or why there is none, without anything of it. */
export type Found =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'error'; readonly reason: string };

/** Reads a file of settings. */
export async function findFile(path: string): Promise<Found> {
  try {
    const { size } = await stat(path);
    if (size > MAX_BYTES) return { kind: 'error', reason: `it is larger than ${MAX_BYTES} bytes` };
    return { kind: 'text', text: await readFile(path, 'utf8') };
  } catch (error) {
    return { kind: 'error', reason: (error as NodeJS.ErrnoException).code ?? 'it cannot be read' };
  }
}
