import { createHash } from 'node:crypto';
import { type Found, findFile } from './small-file.js';

/** Two looks in a row must find the same before it counts: a file may be met while somebody writes it. */
const LOOK_EVERY_MS = 500;

export interface Followed {
  /** Looks at once, and calls back in any case. */
  look(): Promise<void>;
  /** Nothing is said from now on. Twice is fine. */
  close(): void;
}

/**
 * Calls back with what a file holds when that has changed. It goes by what the file holds, not by its times or its place: a
 * file put over it and a link that leads elsewhere (a volume of Kubernetes) are changes, writing the same again is none.
 * @param onFound does not throw; what it is given is not new where it was asked for, and was found before
 * @param known what was found before; without it, the first that is found is a change
 */
export function followFile(
  path: string,
  onFound: (found: Found, isNew: boolean) => void,
  known?: Found,
): Followed {
  let closed = false;
  let timer: NodeJS.Timeout | undefined;
  let last: string | null = null;
  let taken = known === undefined ? null : digestOf(known);
  const take = (found: Found, digest: string) => {
    const isNew = digest !== taken;
    taken = digest;
    onFound(found, isNew);
  };
  const watch = async () => {
    const found = await findFile(path);
    if (closed) return;
    const digest = digestOf(found);
    if (digest === last && digest !== taken) take(found, digest);
    last = digest;
    timer = setTimeout(watch, LOOK_EVERY_MS).unref();
  };
  void watch();
  return {
    async look() {
      const found = await findFile(path);
      if (!closed) take(found, digestOf(found));
    },
    close() {
      closed = true;
      clearTimeout(timer);
    },
  };
}

/** Instead of the text, which holds secrets: no copy of it is kept. */
function digestOf(found: Found): string {
  return createHash('sha256').update(JSON.stringify(found)).digest('base64');
}
