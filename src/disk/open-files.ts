/** How many files the process may have open: connections are such. */

import { readFileSync } from 'node:fs';

/** Besides the connections of callers: store, log, and connections to Modellix, to receivers and to hosts of media. */
const OTHERS = 1_000;

/** Of files that are too few for that, this share is for connections all the same. */
const SHARE = 0.5;

/** The limit, which Node has raised as far as it may (setrlimit(2)); `null` where the system has no such file to ask. */
export function maxOpenFiles(): number | null {
  try {
    const limits = readFileSync('/proc/self/limits', 'utf8');
    const soft = /^Max open files\s+(\d+)/m.exec(limits)?.[1];
    return soft === undefined ? null : Number(soft);
  } catch {
    return null;
  }
}

/**
 * How many connections there may be, with so many files. A process without files left cannot write its store either,
 * so that those who hang up would not be all who suffer.
 */
export function connectionsWithin(wanted: number, files: number | null): number {
  if (files === null) return wanted;
  return Math.min(wanted, Math.max(files - OTHERS, Math.floor(files * SHARE)));
}
