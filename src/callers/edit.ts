/** The file of callers, changed by commands: comments and order stay as they are. */

import { extname } from 'node:path';
import { Document, isSeq } from 'yaml';
import { changeFile } from '../disk/change-file.js';
import { findFile } from '../disk/small-file.js';
import type { CallerMembers } from './form.js';
import type { ListedCaller } from './listed.js';
import { CallersError, readCallers } from './read.js';

/** The callers of a file, to be changed. */
export interface Draft {
  readonly callers: readonly ListedCaller[];
  add(members: CallerMembers): void;
  setKeys(name: string, hashes: readonly Buffer[]): void;
  remove(name: string): void;
}

/**
 * Changes a file, which is made where there is none and `isMade` allows it. A file named `.json` stays JSON.
 * @param edit what it throws leaves the file as it is
 * @throws {CallersError} where the file is invalid, or would be, and errors of {@link changeFile}
 */
export async function editCallers(
  file: string,
  isMade: boolean,
  edit: (draft: Draft) => void,
): Promise<void> {
  await changeFile(file, async () => {
    const { callers, document } = await readOrNew(file, isMade);
    edit(draftOf(document, callers));
    const text =
      extname(file) === '.json'
        ? `${JSON.stringify(document.toJS(), null, 2)}\n`
        : document.toString({ lineWidth: 0 });
    readCallers(text);
    return text;
  });
}

async function readOrNew(file: string, isMade: boolean) {
  const found = await findFile(file);
  if (found.kind === 'text') return readCallers(found.text);
  if (isMade && found.reason === 'ENOENT') return { callers: [], document: new Document({ callers: [] }) };
  throw new CallersError(`it cannot be read (${found.reason})`);
}

function draftOf(document: Document, callers: readonly ListedCaller[]): Draft {
  const indexOf = (name: string) => callers.findIndex(({ caller }) => caller.name === name);
  return {
    callers,
    add(members) {
      const list = document.get('callers');
      // An empty list is written as [], and what is added to it would stay between the brackets.
      if (isSeq(list) && list.items.length === 0) list.flow = false;
      document.addIn(['callers'], document.createNode(members));
    },
    setKeys(name, hashes) {
      const [first, ...others] = hashes.map((hash) => hash.toString('hex'));
      const value = others.length === 0 ? first : document.createNode([first, ...others]);
      document.setIn(['callers', indexOf(name), 'key_sha256'], value);
    },
    remove(name) {
      document.deleteIn(['callers', indexOf(name)]);
    },
  };
}
