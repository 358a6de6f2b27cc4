/** A process of its own for the tests of the store of SQLite: `sqlite-child.ts <task> <dir>`. */

import { execFile } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { openSqliteStore } from '../../src/store/sqlite/sqlite.js';
import { avatarOf, CALLER, dueIn, LONG, SUBMISSION } from './fixtures.js';
import { LARGE } from './fixtures-sqlite.js';

const [task, dir = ''] = process.argv.slice(2);
const say = (line: unknown): void => void process.stdout.write(`${JSON.stringify(line)}\n`);

async function open(): Promise<void> {
  try {
    await openSqliteStore({ dir });
    say('opened');
  } catch (error) {
    say(String(error));
  }
}

/** Says the id once the avatar is created, and stays. */
async function create(): Promise<void> {
  const store = await openSqliteStore({ dir });
  say((await store.admit(avatarOf(), [SUBMISSION], dueIn(LONG))).avatar.id);
  setInterval(() => {}, LONG);
}

/** No file may grow beyond so many bytes. */
async function limitFiles(bytes: number | 'unlimited'): Promise<void> {
  await promisify(execFile)('prlimit', ['--pid', String(process.pid), `--fsize=${bytes}:unlimited`]);
}

/** Creates until the disk is full, then once more when it is not; says what came of each, and of reading the refused one. */
async function fill(prompt: string | null, submission: readonly Buffer[]): Promise<void> {
  const store = await openSqliteStore({ dir });
  await limitFiles(1_000_000);
  const created: string[] = [];
  const attempt = async (pieces = submission): Promise<string | null> => {
    const avatar = avatarOf({ prompt });
    try {
      await store.admit(avatar, pieces, dueIn(LONG));
      created.push(avatar.id);
      return null;
    } catch (error) {
      say({ refused: avatar.id, error: String(error) });
      return avatar.id;
    }
  };
  let refused: string | null = null;
  while (refused === null && created.length < 100) refused = await attempt();
  say({ found: await store.find(CALLER, String(refused)), files: await files() });
  await limitFiles('unlimited');
  await attempt([SUBMISSION]);
  await store.close();
  say({ created });
}

/** Admits a large one, and drops it again; `test/faults/stop-at-write.mjs` stops it at the one or the other. */
async function drop(): Promise<void> {
  const store = await openSqliteStore({ dir });
  const avatar = avatarOf({ id: 'av_stopped', prompt: 'the admission' });
  await store.admit(avatar, [LARGE], dueIn(LONG));
  await store.save({ ...avatar, prompt: 'the drop' }, 1, { dueInMs: LONG, submission: 'drop' });
}

/** Creates avatars that cost something, twenty at once, and says each; without end. */
async function spend(): Promise<void> {
  const store = await openSqliteStore({ dir });
  const spend = { reserved: { durationMs: 7200, units: 3226 }, settled: null, billed: null };
  const create = async (): Promise<void> => {
    say((await store.admit(avatarOf({ spend, createdAt: Date.now() }), [SUBMISSION], dueIn(LONG))).avatar.id);
    return create();
  };
  await Promise.all(Array.from({ length: 20 }, create));
}

const files = () => readdir(join(dir, 'media'));

const tasks: Record<string, () => Promise<void>> = {
  open,
  create,
  spend,
  'fill-records': () => fill('x'.repeat(200_000), [SUBMISSION]),
  'fill-media': () => fill(null, [Buffer.alloc(1_000_000), Buffer.alloc(1_000_000)]),
  drop,
};
await tasks[String(task)]?.();
