/** A process of its own for the tests of the embedded store: `embedded-child.ts open|create|fill <dir>`. */

import { randomBytes } from 'node:crypto';
import { openEmbeddedStore } from '../../src/store/embedded.js';
import { avatarOf, dueIn, LONG, SUBMISSION } from './fixtures.js';

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
  say((await store.create(avatarOf(), SUBMISSION, dueIn(LONG))).avatar.id);
  setInterval(() => {}, LONG);
}

/** Creates until it is refused, then once more; says what came of each, and of reading the refused one. */
async function fill(): Promise<void> {
  const store = await openEmbeddedStore({ dir });
  const created: string[] = [];
  const attempt = async (): Promise<string | null> => {
    const avatar = avatarOf();
    try {
      await store.create(avatar, randomBytes(200_000), dueIn(LONG));
      created.push(avatar.id);
      return null;
    } catch (error) {
      say({ refused: avatar.id, error: String(error) });
      return avatar.id;
    }
  };
  let refused: string | null = null;
  while (refused === null && created.length < 100) refused = await attempt();
  say({ found: await store.find(avatarOf().caller, String(refused)) });
  await attempt();
  await store.close();
  say({ created });
}

const tasks: Record<string, () => Promise<void>> = { open, create, fill };
await tasks[String(task)]?.();
