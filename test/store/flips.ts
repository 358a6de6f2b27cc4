/** Wrong bytes in the files of the embedded store between two runs: each is refused with a line, or harmless. */

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, open, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Chance } from '../storm/random.js';
import { argsFor } from '../support/build.js';
import type { Verdict, World } from './flips-child.js';

export interface FlipOptions {
  readonly count: number;
  readonly seed: number;
  readonly onFlip?: (flip: Flip) => void;
}

export interface Flip {
  readonly what: string;
  readonly verdict: Verdict;
}

/** What became of all: `violations` are what must not be. */
export interface Tally {
  readonly refused: number;
  readonly quarantined: number;
  readonly harmless: number;
  readonly violations: readonly string[];
}

/** How many are tried on one store. */
const FLIPS_A_STORE = 25;
/** Avatars of a store: some that fit in few pages, and trees of several levels. */
const SIZES = [12, 60, 400];

export async function flips({ count, seed, onFlip = () => {} }: FlipOptions): Promise<Tally> {
  const random = new Chance(seed);
  const root = await mkdtemp(join(tmpdir(), 'avatar-gateway-flips-'));
  const tally = { refused: 0, quarantined: 0, harmless: 0, violations: [] as string[] };
  let inspector = child();
  try {
    for (let store = 0; store * FLIPS_A_STORE < count; store++) {
      const dir = join(root, `store-${store}`);
      const isKilled = store % 2 === 0;
      const world = await build(dir, seed + store, SIZES[store % SIZES.length] ?? 12, isKilled);
      for (let i = 0; i < Math.min(FLIPS_A_STORE, count - store * FLIPS_A_STORE); i++) {
        const copy = join(root, 'copy');
        await cp(dir, copy, { recursive: true });
        const what = `${isKilled ? 'killed' : 'closed'}, ${await flip(copy, random)}`;
        inspector.send({ dir: copy, world });
        const verdict = await answerOf(inspector);
        if (verdict === null) {
          tally.violations.push(`${what}: the process ended`);
          inspector = child();
        } else {
          onFlip({ what, verdict });
          if ('refused' in verdict) tally.refused += 1;
          else if (verdict.violations.length > 0)
            tally.violations.push(`${what}: ${verdict.violations.slice(0, 3).join('; ')}`);
          else if (verdict.quarantined > 0) tally.quarantined += 1;
          else tally.harmless += 1;
        }
        await rm(copy, { recursive: true });
      }
      await rm(dir, { recursive: true });
    }
    return tally;
  } finally {
    inspector.kill('SIGKILL');
    await rm(root, { recursive: true, force: true });
  }
}

function child(...args: string[]): ChildProcess {
  const [script = '', ...flags] = argsFor('test/store/flips-child').reverse();
  return fork(script, args, { execArgv: flags.reverse(), stdio: ['ignore', 'inherit', 'ignore', 'ipc'] });
}

/** `null` where the process ended. */
async function answerOf(process_: ChildProcess): Promise<Verdict | null> {
  const ended = new AbortController();
  const { signal } = ended;
  const exit = once(process_, 'exit', { signal }).then(
    () => [null],
    () => [null],
  );
  const [answer] = await Promise.race([once(process_, 'message', { signal }), exit]);
  ended.abort();
  return answer as Verdict | null;
}

/** A store of so many avatars, whose process was killed, or closed it. */
async function build(dir: string, seed: number, avatars: number, isKilled: boolean): Promise<World> {
  const builder = child('build', dir, String(seed), String(avatars));
  const [world] = (await once(builder, 'message')) as [World];
  if (isKilled) builder.kill('SIGKILL');
  else builder.send('close');
  await once(builder, 'exit');
  return world;
}

/** Changes one bit or one byte of one file; says which. */
async function flip(dir: string, random: Chance): Promise<string> {
  const files: { readonly file: string; readonly size: number }[] = [];
  for (const file of await readdir(dir, { recursive: true })) {
    const found = await stat(join(dir, file));
    if (found.isFile() && found.size > 0) files.push({ file, size: found.size });
  }
  // Small files are hit as often as large ones half of the time.
  const total = files.reduce((sum, { size }) => sum + size, 0);
  const bySize = random.weighted(Object.fromEntries(files.map(({ file, size }) => [file, size / total])));
  const target = random.is(0.5) ? files.find(({ file }) => file === bySize) : random.pick(files);
  if (target === undefined) throw new Error('there are no files');
  const offset = random.between(0, target.size - 1);
  const handle = await open(join(dir, target.file), 'r+');
  const byte = Buffer.alloc(1);
  await handle.read(byte, 0, 1, offset);
  const before = byte[0] ?? 0;
  byte[0] = random.is(0.5) ? before ^ (1 << random.between(0, 7)) : (before + random.between(1, 255)) % 256;
  await handle.write(byte, 0, 1, offset);
  await handle.close();
  return `byte ${offset} of ${target.file} from ${before} to ${byte[0]}`;
}
