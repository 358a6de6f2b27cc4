/** A file of callers, with keys that a test knows. */

import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

interface Teardown {
  teardown(fn: () => void | Promise<void>): unknown;
}

/** What the file says of a caller, as `docs/callers.md` names it. */
export type CallerEntry = Readonly<Record<string, unknown>>;

export interface CallersFile {
  readonly file: string;
  /** Headers that say who calls. */
  readonly as: (name: string) => { authorization: string };
  /** Writes the file anew. */
  readonly replace: (callers: Readonly<Record<string, CallerEntry>>) => Promise<void>;
}

/** The key of a caller in these files. */
export const keyOf = (name: string): string => `agk_key-of-${name}`;

export const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/** A file with these callers, by name, that goes with the test. */
export async function callersFile(
  t: Teardown,
  callers: Readonly<Record<string, CallerEntry>>,
): Promise<CallersFile> {
  const dir = await mkdtemp(join(tmpdir(), 'avatar-gateway-callers-'));
  t.teardown(() => rm(dir, { recursive: true, force: true }));
  const file = join(dir, 'callers.json');
  const replace = async (callers: Readonly<Record<string, CallerEntry>>) => {
    const entries = Object.entries(callers).map(([name, entry]) => ({
      name,
      key_sha256: sha256(keyOf(name)),
      ...entry,
    }));
    await writeFile(file, JSON.stringify({ callers: entries }), { mode: 0o600 });
  };
  await replace(callers);
  return { file, replace, as: (name) => ({ authorization: `Bearer ${keyOf(name)}` }) };
}
