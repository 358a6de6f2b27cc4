/** `npm run storm`: breaks things for a while and counts what holds. Exits 1 on the first violation. */

import { parseArgs } from 'node:util';
import { STORES, type StormStore } from './cast.js';
import { reportOf } from './report.js';
import { type StormOptions, storm } from './storm.js';

const USAGE = `npm run storm -- [options]

  --minutes N       how long things go wrong [2]
  --seed N          of every choice [any]
  --store NAME      redis, redis-snapshots (which comes back older now and then) or embedded [redis]
  --gateways N      1 to 3 [embedded: 1, else 3]
  --callers N       [10]
  --think MS        mean pause of a caller between two turns [500]
  --kills N         of gateways, a minute [32]
  --keep-logs DIR   keep logs, ledger and stores there, whatever comes
`;

/** On a terminal the line is written over; elsewhere there is one now and then. */
const SECONDS_A_LINE = 15;

function readOptions(): StormOptions {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({
    options: {
      minutes: { ...text, default: '2' },
      seed: { ...text, default: String(Math.floor(Math.random() * 1e6)) },
      store: { ...text, default: 'redis' },
      gateways: text,
      callers: { ...text, default: '10' },
      think: { ...text, default: '500' },
      kills: { ...text, default: '32' },
      'keep-logs': text,
    },
  });
  const { store } = values;
  if (!isStore(store)) throw new RangeError(`--store is one of ${STORES.join(', ')}`);
  const gateways = number('gateways', values.gateways ?? (store === 'embedded' ? '1' : '3'), 1, 3);
  if (store === 'embedded' && gateways > 1) throw new RangeError('the embedded store has one gateway');
  return {
    store,
    gateways,
    seed: number('seed', values.seed, 0, 2 ** 32 - 1),
    durationMs: number('minutes', values.minutes, 0.01, 1440) * 60_000,
    callers: number('callers', values.callers, 1, 1000),
    thinkMs: number('think', values.think, 1, 60_000),
    killsPerMinute: number('kills', values.kills, 0.1, 120),
    keepLogs: values['keep-logs'] ?? null,
    onProgress: progress(),
  };
}

function isStore(name: string): name is StormStore {
  return (STORES as readonly string[]).includes(name);
}

function number(name: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (text.trim() !== '' && value >= least && value <= most) return value;
  throw new RangeError(`--${name} is a number from ${least} to ${most}`);
}

function progress(): (line: string) => void {
  let count = 0;
  return (line) => {
    if (process.stdout.isTTY) process.stdout.write(`\r\x1b[K${line}`);
    else if (count++ % SECONDS_A_LINE === 0) process.stdout.write(`${line}\n`);
  };
}

let options: StormOptions;
try {
  options = readOptions();
} catch (error) {
  process.stderr.write(`storm: ${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
  process.exit(2);
}
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));
const result = await storm(options);
process.stdout.write(`${process.stdout.isTTY ? '\n' : ''}${reportOf(result)}\n`);
process.exitCode = result.book.violations.length === 0 ? 0 : 1;
