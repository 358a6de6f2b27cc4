/**
 * What a million avatars weigh in Redis, and what its operations take then. A private Redis; avatars go in and come
 * out through the store. `npm run bench:scale`; with `--write` into `docs/limits.md`.
 *
 *     --finished 1000000  --queued 1000,10000,100000
 */

import { loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { Redis } from 'ioredis';
import type { Avatar } from '../src/domain/avatar.js';
import { encodeRecord } from '../src/store/record.js';
import { idWord } from '../src/store/redis/ids.js';
import { pack } from '../src/store/redis/packed.js';
import { startRedis } from '../test/support/redis.js';
import { connected, inParallel } from './fill.js';
import { machine, table, today, writeBlock } from './page.js';
import { create, putFinished, putFinishedStepByStep, queuedAvatar, SUBMISSION } from './scale-avatars.js';
import { type Latencies, latencies, OPERATIONS } from './scale-latency.js';

const { values } = parseArgs({
  options: {
    finished: { type: 'string', default: '1000000' },
    queued: { type: 'string', default: '1000,10000,100000' },
    write: { type: 'boolean', default: false },
  },
});
const FINISHED = Number(values.finished);
const LEVELS = values.queued.split(',').map(Number);
/** Avatars that went through every step, to see that the short way weighs the same. */
const SAMPLE = 2_000;
/** Of each kind, so many are kept to be looked up. */
const KEPT_TO_FIND = 5_000;

interface Weight {
  readonly what: string;
  readonly count: number;
  readonly bytesEach: number;
  readonly seconds: number;
}

interface Level {
  readonly finished: number;
  readonly queued: number;
  readonly took: Latencies;
}

interface Filled {
  readonly weights: readonly Weight[];
  readonly levels: readonly Level[];
  /** Of the key that a submission has to itself. */
  readonly submissionBytes: number;
  readonly some: Some;
}

/** A few of what is in the store. */
interface Some {
  readonly queued: Avatar[];
  readonly finished: Avatar[];
}

/** A store that is filled step by step and measured at each. */
async function fillAndMeasure(finished: number): Promise<Filled> {
  const endings: (() => unknown)[] = [];
  const teardown = (end: () => unknown) => void endings.unshift(end);
  try {
    const { url } = await startRedis({ teardown });
    const client = new Redis(url);
    teardown(() => client.disconnect());
    const store = await connected(url);
    teardown(() => store.close());
    const weights: Weight[] = [];
    let submissionBytes = 0;
    const levels: Level[] = [];
    const some: Some = { queued: [], finished: [] };
    const fill = async (what: string, count: number, put: (n: number) => Promise<Avatar>, kept: Avatar[]) => {
      const [before, startedAt] = [await usedBytes(client), performance.now()];
      await inParallel(count, async (n) => {
        const avatar = await put(n);
        if (kept.length < KEPT_TO_FIND) kept.push(avatar);
      });
      const seconds = (performance.now() - startedAt) / 1000;
      const bytesEach = ((await usedBytes(client)) - before) / count;
      weights.push({ what, count, bytesEach, seconds });
      console.log(`${what}: ${count} in ${seconds.toFixed(0)} s, ${bytesEach.toFixed(0)} bytes each`);
    };

    if (finished > 0) {
      await fill('finished', finished, (n) => putFinished(store, n), some.finished);
      await fill('finished, every step', SAMPLE, (n) => putFinishedStepByStep(store, n), some.finished);
    }
    let queued = 0;
    for (const level of LEVELS) {
      const put = async (n: number) => (await create(store, queuedAvatar(n))).avatar;
      await fill('queued', level - queued, put, some.queued);
      queued = level;
      submissionBytes = await submissionKeyBytes(client, some.queued);
      levels.push({ finished, queued, took: await latencies(store, some) });
    }
    return { weights, levels, submissionBytes, some };
  } finally {
    for (const end of endings) await end();
  }
}

async function usedBytes(client: Redis): Promise<number> {
  return Number(/^used_memory:(\d+)/m.exec(await client.info('memory'))?.[1]);
}

async function submissionKeyBytes(client: Redis, [queued]: readonly Avatar[]): Promise<number> {
  const [key = ''] = await client.keys(`*:submission:${idWord(queued?.id ?? '')}`);
  return Number(await client.memory('USAGE', key));
}

function meanBytes(avatars: readonly Avatar[], size: (record: Buffer) => number): string {
  return (avatars.reduce((sum, each) => sum + size(encodeRecord(each)), 0) / avatars.length).toFixed(0);
}

const asJson = (record: Buffer) => record.length;
const asPacked = (record: Buffer) => pack(record, '').length;

/** The levels of the queue as one, and all together. */
function summed(weights: readonly Weight[]): Weight[] {
  const sum = (what: string, of: readonly Weight[]): Weight => {
    const count = of.reduce((all, each) => all + each.count, 0);
    const bytes = of.reduce((all, each) => all + each.bytesEach * each.count, 0);
    const seconds = of.reduce((all, each) => all + each.seconds, 0);
    return { what, count, bytesEach: bytes / count, seconds };
  };
  const isQueued = ({ what }: Weight) => what === 'queued';
  const finished = weights.filter((each) => !isQueued(each));
  return [...finished, sum('queued', weights.filter(isQueued)), sum('all', weights)];
}

function weighed(weights: readonly Weight[]): string {
  const rows = summed(weights).map(({ what, count, bytesEach, seconds }) => [
    what,
    String(count),
    `**${bytesEach.toFixed(0)}**`,
    `${seconds.toFixed(0)} s`,
  ]);
  return table(['avatars', 'added', 'bytes each', 'filled in'], rows);
}

function timed(levels: readonly Level[]): string {
  const head = [
    'ms, p50 / p99',
    ...levels.map(({ finished, queued }) => `${finished} finished, ${queued} queued`),
  ];
  const rows = OPERATIONS.map((name) => [
    name,
    ...levels.map(({ took }) => {
      const { p50, p99 } = took[name];
      return Number.isNaN(p50) ? '-' : `${p50.toFixed(2)} / ${p99.toFixed(2)}`;
    }),
  ]);
  return table(head, rows);
}

const few = await fillAndMeasure(0);
const many = await fillAndMeasure(FINISHED);
const command = ['npm run bench:scale --', ...process.argv.slice(2)].join(' ');
const load = loadavg().map((each) => each.toFixed(1));
const text = `${weighed(many.weights)}

Of the bytes of a queued avatar ${many.submissionBytes} are those of the key of its submission, which holds ${SUBMISSION.length} bytes in place of
the media. The record of a queued avatar has ${meanBytes(many.some.queued, asJson)} bytes, that of a finished one
${meanBytes(many.some.finished, asJson)} as JSON and ${meanBytes(many.some.finished, asPacked)} as it is kept.

${timed([...few.levels, ...many.levels])}

Made by \`${command}\` on ${today()}: ${machine()}, Redis on the same machine without an append-only
file; load averages at the end ${load.join(', ')}.`;
console.log(text);
if (values.write) await writeBlock('limits.md', 'bench:scale', text);
