import { backUp } from '../store/sqlite/backup.js';
import { EXIT, type ExitCode } from './exit-codes.js';
import { FileError, UsageError } from './failure.js';
import type { Io } from './io.js';

const DEFAULT_DIR = './data';

export interface BackupOptions {
  readonly dataDir?: string;
}

/** Copies the database of the embedded store, also while a gateway runs. */
export async function backup(io: Io, file: string, { dataDir }: BackupOptions): Promise<ExitCode> {
  const dir = dataDir ?? (io.env.DATA_DIR || DEFAULT_DIR);
  const avatars = await backUp(dir, file).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'EEXIST') {
      throw new UsageError(
        `${file} is there already, or ${file}.part, of a backup that broke off: name another file`,
      );
    }
    if (error.code === 'ENOENT' && error.path?.startsWith(dir)) {
      throw new UsageError(
        `DATA_DIR=${dir} holds no database of a gateway: name the right one with --data-dir`,
      );
    }
    throw new FileError(`${file} cannot be written (${error.code ?? error.message})`);
  });
  io.stdout.write(`${avatars} avatars\n`);
  return EXIT.ok;
}
