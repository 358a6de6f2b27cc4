import { type Draft, editCallers } from '../../callers/edit.js';
import type { ListedCaller } from '../../callers/listed.js';
import { CallersError, readCallers } from '../../callers/read.js';
import { loosePermissions } from '../../disk/permissions.js';
import { findFile } from '../../disk/small-file.js';
import { FileError, UsageError } from '../failure.js';
import type { Io } from '../io.js';
import { shown } from '../text.js';

export interface FileOptions {
  readonly file?: string;
}

/** @throws {UsageError} */
export function fileOf(io: Io, { file }: FileOptions): string {
  const named = file ?? io.env.CALLERS_FILE;
  if (!named && io.env.CLIENTS_FILE) {
    throw new UsageError('CLIENTS_FILE is called CALLERS_FILE now: set that instead');
  }
  if (!named) throw new UsageError('--file, or CALLERS_FILE, has to say which file it is');
  return named;
}

/**
 * Says so where others than its owner can read or change the file.
 * @throws {UsageError | FileError}
 */
export async function callersIn(io: Io, options: FileOptions): Promise<readonly ListedCaller[]> {
  const file = fileOf(io, options);
  const found = await findFile(file);
  if (found.kind === 'error') throw new UsageError(`${file} cannot be read (${found.reason})`);
  const { callers } = await understood(file, async () => readCallers(found.text));
  const permissions = await loosePermissions(file);
  if (permissions !== null) note(io, `${file} can be read or changed by others: its mode is ${permissions}`);
  return callers;
}

/** @throws {UsageError | FileError} */
export async function edit(
  io: Io,
  options: FileOptions,
  change: (draft: Draft) => void,
  { isMade = false } = {},
): Promise<void> {
  const file = fileOf(io, options);
  await understood(file, () => editCallers(file, isMade, change)).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'EEXIST') {
      throw new FileError(
        `${file} is being changed by another command; if there is none, it broke off: remove ${file}.new`,
      );
    }
    // Errors of the file system alone have both.
    if (error.code === undefined || error.syscall === undefined) throw error;
    throw new FileError(`${file} cannot be written (${error.code})`);
  });
}

async function understood<T>(file: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    throw error instanceof CallersError ? new FileError(`${file}: ${error.message}`) : error;
  }
}

/** @throws {UsageError} */
export function callerNamed(callers: readonly ListedCaller[], name: string): ListedCaller {
  const caller = callers.find(({ caller }) => caller.name === name);
  if (caller === undefined) throw new UsageError(`there is no caller ${name}`);
  return caller;
}

export function note(io: Io, text: string): void {
  io.stderr.write(`${shown(text)}\n`);
}
