/** A file of callers, with keys that a test knows. */

import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

interface Teardown {
  teardown(fn: () => void | Promise<void>): unknown;
}

/** What the file says of a client, as `docs/callers.md` names it. */
export type ClientEntry = Readonly<Record<string, unknown>>;

export interface Clients {
  readonly file: string;
  /** Headers that say who calls. */
  readonly as: (name: string) => { authorization: string };
  /** Writes the file anew. */
  readonly replace: (clients: Readonly<Record<string, ClientEntry>>) => Promise<void>;
}

/** The key of a client in these files. */
export const keyOf = (name: string): string => `agk_key-of-${name}`;

export const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/** A file with these clients, by name, that goes with the test. */
export async function clientsFile(
  t: Teardown,
  clients: Readonly<Record<string, ClientEntry>>,
): Promise<Clients> {
  const dir = await mkdtemp(join(tmpdir(), 'avatar-gateway-clients-'));
  t.teardown(() => rm(dir, { recursive: true, force: true }));
  const file = join(dir, 'clients.json');
  const replace = async (clients: Readonly<Record<string, ClientEntry>>) => {
    const entries = Object.entries(clients).map(([name, entry]) => ({
      name,
      key_sha256: sha256(keyOf(name)),
      ...entry,
    }));
    await writeFile(file, JSON.stringify({ clients: entries }), { mode: 0o600 });
  };
  await replace(clients);
  return { file, replace, as: (name) => ({ authorization: `Bearer ${keyOf(name)}` }) };
}
