import { followFile } from '../disk/follow-file.js';
import { type Found, findFile } from '../disk/small-file.js';
import type { CallerDirectory } from '../domain/caller.js';
import { Directory } from './directory.js';
import type { ListedCaller } from './listed.js';
import { CallersError, readCallers } from './read.js';

export type CallersEvent =
  | { readonly kind: 'changed'; readonly callers: number }
  /** The callers of before go on. `reason` quotes no value of the file. */
  | { readonly kind: 'unusable'; readonly reason: string };

/** The callers in a file, as of now. */
export interface Callers extends CallerDirectory {
  /** Reads the file at once; what comes of it is an event. */
  reload(): Promise<void>;
  /** Follows the file no more. Twice is fine. */
  close(): void;
}

/**
 * Reads the file, and follows it.
 * @param now in ms since the epoch
 * @throws {CallersError} where the file is invalid at the start
 */
export async function openCallers(options: {
  readonly file: string;
  readonly now: () => number;
  readonly onEvent: (event: CallersEvent) => void;
}): Promise<Callers> {
  const { file, now, onEvent } = options;
  const first = await findFile(file);
  let directory = new Directory(callersIn(first), now);
  let isSpoiled = false;
  const take = (found: Found, isNew: boolean) => {
    if (!isNew && !isSpoiled) return;
    try {
      const callers = callersIn(found);
      directory = new Directory(callers, now, directory);
      isSpoiled = false;
      onEvent({ kind: 'changed', callers: callers.length });
    } catch (error) {
      isSpoiled = true;
      const reason = error instanceof CallersError ? error.message : 'it cannot be understood';
      onEvent({ kind: 'unusable', reason });
    }
  };
  const followed = followFile(file, take, first);
  return {
    identify: (key) => directory.identify(key),
    isCurrent: (caller) => directory.isCurrent(caller),
    find: (name) => directory.find(name),
    reload: () => followed.look(),
    close: () => followed.close(),
  };
}

function callersIn(found: Found): readonly ListedCaller[] {
  if (found.kind === 'error') throw new CallersError(`it cannot be read (${found.reason})`);
  return readCallers(found.text).callers;
}
