/** Where a video goes: checked before an avatar is paid for, opened when the video is there. */

import { randomBytes } from 'node:crypto';
import {
  access,
  constants,
  type FileHandle,
  lstat,
  open,
  realpath,
  rename,
  rm,
  stat,
} from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { FileError, UsageError } from './failure.js';
import type { Session } from './session.js';

export interface Out {
  /** For messages. */
  readonly name: string;
  open(): Promise<Sink>;
}

/** Errors are those of the file system. */
export interface Sink {
  write(bytes: Uint8Array): Promise<void>;
  /** It is whole. Nothing is written after this. */
  finish(): Promise<void>;
  /** It will not be whole. */
  abandon(): Promise<void>;
}

/** Where stdout is a socket, it cannot be opened by these names. */
const STDOUT = /^(-|\/dev\/stdout|\/dev\/fd\/1|\/proc\/self\/fd\/1)$/;
/** What the shell has opened, such as for `>(...)` or `3> FILE`. */
const DESCRIPTOR = /^\/(dev|proc\/self)\/fd\/\d+$/;

/**
 * Finds out whether a video can be written to `--out`.
 * @throws {UsageError}
 */
export async function outAt(session: Session, place: string, isForced: boolean): Promise<Out> {
  if (STDOUT.test(place)) return stdoutOf(session, place, isForced);
  const found = await stat(place).catch(() => null);
  if (found?.isCharacterDevice() || found?.isFIFO() || (found !== null && DESCRIPTOR.test(place))) {
    return { name: place, open: async () => streamTo(await open(place, 'a')) };
  }
  if (found !== null && !found.isFile()) {
    throw new UsageError(`--out ${place}: is ${found.isDirectory() ? 'a folder' : 'no file'}`);
  }
  if (found !== null && !isForced) {
    throw new UsageError(`--out ${place}: is there already; --force writes over it`);
  }
  if (found === null && (await lstat(place).catch(() => null)) !== null) {
    throw new UsageError(`--out ${place}: is a link that leads nowhere`);
  }
  // A link stays one.
  const file = found === null ? place : await realpath(place);
  await access(dirname(file), constants.W_OK).catch(({ code }: NodeJS.ErrnoException) => {
    throw new UsageError(
      `--out ${place}: its folder ${code === 'ENOENT' ? 'is not there' : `cannot be written to (${code})`}`,
    );
  });
  return { name: place, open: () => partOf(file, isForced) };
}

function stdoutOf({ isJson, stdout }: Session, place: string, isForced: boolean): Out {
  if (isJson) throw new UsageError(`--out ${place} and --json both want stdout: give one`);
  if (stdout.isTTY && !isForced) {
    throw new UsageError(`--out ${place}: stdout is a terminal; --force writes to it all the same`);
  }
  const write = (bytes: Uint8Array) =>
    new Promise<void>((resolve, reject) => {
      stdout.write(bytes, (error) => (error ? reject(error) : resolve()));
    });
  const nothing = async () => {};
  return { name: 'stdout', open: async () => ({ write, finish: nothing, abandon: nothing }) };
}

/** Into something that is not to be replaced: a device, a pipe. */
function streamTo(handle: FileHandle): Sink {
  return {
    write: (bytes) => handle.appendFile(bytes),
    finish: () => handle.close(),
    abandon: () => handle.close(),
  };
}

/** Into a file, which gets its name when it is whole and on disk: until then it is beside, under another. */
async function partOf(file: string, isForced: boolean): Promise<Sink> {
  const part = join(dirname(file), `.${basename(file)}.${randomBytes(4).toString('hex')}.part`);
  const handle = await open(part, 'wx');
  return {
    write: (bytes) => handle.appendFile(bytes),
    async finish() {
      await handle.sync();
      // Looked at again: an avatar takes minutes.
      if (!isForced && (await stat(file).catch(() => null)) !== null) {
        throw new FileError(`${file} was made meanwhile by somebody else`);
      }
      await rename(part, file);
      await handle.close();
    },
    async abandon() {
      await handle.close();
      await rm(part, { force: true });
    },
  };
}
