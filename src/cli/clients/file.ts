import type { Client } from '../../callers/client.js';
import { type Draft, editClients } from '../../callers/edit.js';
import { ClientsError, readClients } from '../../callers/read.js';
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
  const named = file ?? io.env.CLIENTS_FILE;
  if (!named) throw new UsageError('--file, or CLIENTS_FILE, has to say which file it is');
  return named;
}

/**
 * Says so where others than its owner can read or change the file.
 * @throws {UsageError | FileError}
 */
export async function clientsIn(io: Io, options: FileOptions): Promise<readonly Client[]> {
  const file = fileOf(io, options);
  const found = await findFile(file);
  if (found.kind === 'error') throw new UsageError(`${file} cannot be read (${found.reason})`);
  const { clients } = await understood(file, async () => readClients(found.text));
  const permissions = await loosePermissions(file);
  if (permissions !== null) note(io, `${file} can be read or changed by others: its mode is ${permissions}`);
  return clients;
}

/** @throws {UsageError | FileError} */
export async function edit(
  io: Io,
  options: FileOptions,
  change: (draft: Draft) => void,
  { isMade = false } = {},
): Promise<void> {
  const file = fileOf(io, options);
  await understood(file, () => editClients(file, isMade, change)).catch((error: NodeJS.ErrnoException) => {
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
    throw error instanceof ClientsError ? new FileError(`${file}: ${error.message}`) : error;
  }
}

/** @throws {UsageError} */
export function clientNamed(clients: readonly Client[], name: string): Client {
  const client = clients.find(({ caller }) => caller.name === name);
  if (client === undefined) throw new UsageError(`there is no client ${name}`);
  return client;
}

export function note(io: Io, text: string): void {
  io.stderr.write(`${shown(text)}\n`);
}
