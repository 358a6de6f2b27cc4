/** A process of its own for the tests of the embedded store: `embedded-child.ts <task> <dir>`. */

import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { ClassicLevel } from 'classic-level';
import { openEmbeddedStore } from '../../src/store/embedded.js';
import { avatarOf, CALLER, dueIn, LONG, SUBMISSION } from './fixtures.js';

const [task, dir = ''] = process.argv.slice(2);
const say = (line: unknown): void => void process.stdout.write(`${JSON.stringify(line)}\n`);

async function open(): Promise<void> {
  try {
    await openEmbeddedStore({ dir });
    say('opened');
  } catch (error) {
    say(String(error));
  }
}

/** Says the id once the avatar is created, and stays. */
async function create(): Promise<void> {
  const store = await openEmbeddedStore({ dir });
  say((await store.create(avatarOf(), [SUBMISSION], dueIn(LONG))).avatar.id);
  setInterval(() => {}, LONG);
}

/** Creates until it is refused, then once more; says what came of each, and of reading the refused one. */
async function fill(prompt: string | null, submission: readonly Buffer[]): Promise<void> {
  const store = await openEmbeddedStore({ dir });
  const created: string[] = [];
  const attempt = async (pieces = submission): Promise<string | null> => {
    const avatar = avatarOf({ prompt });
    try {
      await store.create(avatar, pieces, dueIn(LONG));
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
  await attempt([SUBMISSION]);
  await store.close();
  say({ created });
}

/** Creates, and drops again; stops for good before or after the batch of the one or the other, and says so. */
async function stop(at: 'create' | 'drop', when: 'before' | 'after'): Promise<void> {
  const store = await openEmbeddedStore({ dir });
  const avatar = avatarOf({ id: 'av_stopped' });
  const { batch } = ClassicLevel.prototype as unknown as { batch: (...args: unknown[]) => Promise<void> };
  const arm = () =>
    Object.assign(ClassicLevel.prototype, {
      async batch(this: unknown, ...args: unknown[]) {
        if (when === 'after') await batch.apply(this, args);
        say({ files: await files() });
        await new Promise(() => {});
      },
    });
  if (at === 'create') arm();
  await store.create(avatar, [SUBMISSION], dueIn(LONG));
  arm();
  await store.save(avatar, 1, { dueInMs: LONG, submission: 'drop' });
}

/** Creates avatars that cost something, twenty at once, and says each; without end. */
async function spend(): Promise<void> {
  const store = await openEmbeddedStore({ dir });
  const spend = { reserved: { durationMs: 7200, units: 3226 }, settled: null };
  const create = async (): Promise<void> => {
    say(
      (await store.create(avatarOf({ spend, createdAt: Date.now() }), [SUBMISSION], dueIn(LONG))).avatar.id,
    );
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
  'stop-before-create': () => stop('create', 'before'),
  'stop-after-create': () => stop('create', 'after'),
  'stop-before-drop': () => stop('drop', 'before'),
  'stop-after-drop': () => stop('drop', 'after'),
};
await tasks[String(task)]?.();
