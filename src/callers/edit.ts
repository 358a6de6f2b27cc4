/** The file of callers, changed by commands: comments and order stay as they are. */

import { extname } from 'node:path';
import { Document, isSeq } from 'yaml';
import { changeFile } from '../disk/change-file.js';
import { findFile } from '../disk/small-file.js';
import type { Client } from './client.js';
import type { ClientMembers } from './form.js';
import { ClientsError, readClients } from './read.js';

/** The clients of a file, to be changed. */
export interface Draft {
  readonly clients: readonly Client[];
  add(members: ClientMembers): void;
  setKeys(name: string, hashes: readonly Buffer[]): void;
  remove(name: string): void;
}

/**
 * Changes a file, which is made where there is none and `isMade` allows it. A file named `.json` stays JSON.
 * @param edit what it throws leaves the file as it is
 * @throws {ClientsError} where the file is of no use, or would be, and errors of {@link changeFile}
 */
export async function editClients(
  file: string,
  isMade: boolean,
  edit: (draft: Draft) => void,
): Promise<void> {
  await changeFile(file, async () => {
    const { clients, document } = await readOrNew(file, isMade);
    edit(draftOf(document, clients));
    const text =
      extname(file) === '.json'
        ? `${JSON.stringify(document.toJS(), null, 2)}\n`
        : document.toString({ lineWidth: 0 });
    readClients(text);
    return text;
  });
}

async function readOrNew(file: string, isMade: boolean) {
  const found = await findFile(file);
  if (found.kind === 'text') return readClients(found.text);
  if (isMade && found.reason === 'ENOENT') return { clients: [], document: new Document({ clients: [] }) };
  throw new ClientsError(`it cannot be read (${found.reason})`);
}

function draftOf(document: Document, clients: readonly Client[]): Draft {
  const indexOf = (name: string) => clients.findIndex(({ caller }) => caller.name === name);
  return {
    clients,
    add(members) {
      const list = document.get('clients');
      // An empty list is written as [], and what is added to it would stay between the brackets.
      if (isSeq(list) && list.items.length === 0) list.flow = false;
      document.addIn(['clients'], document.createNode(members));
    },
    setKeys(name, hashes) {
      const [first, ...others] = hashes.map((hash) => hash.toString('hex'));
      const value = others.length === 0 ? first : document.createNode([first, ...others]);
      document.setIn(['clients', indexOf(name), 'key_sha256'], value);
    },
    remove(name) {
      document.deleteIn(['clients', indexOf(name)]);
    },
  };
}
