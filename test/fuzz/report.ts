/** What is printed of a target, and where the bytes of a finding are kept. */

import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FuzzResult } from './fuzz.js';

const count = (value: number) => value.toLocaleString('en-US');
const megabytes = (value: number) => `${(value / 1e6).toFixed(1)} MB`;

/** One line, and under it each finding with the file that holds its bytes, which are written to the folder. */
export function reportOf({ name, tally, findings }: FuzzResult, seed: number, dir: string): string {
  const line =
    tally === null
      ? `${name.padEnd(6)} did not come to its end`
      : [
          name.padEnd(6),
          `${count(tally.calls)} calls`.padStart(18),
          `${count(tally.taken)} taken`.padStart(14),
          `${tally.kept} files kept, ${tally.parts} parts of code`,
          `slowest ${tally.slowestMs.toFixed(0)} ms (${count(tally.slowestBytes)} bytes)`,
          `memory ${megabytes(tally.earlyBytes)}, then ${megabytes(tally.lateBytes)}`,
        ].join('  ');
  const details = findings.map(({ what, words, bytes }) => {
    const where = bytes === null ? '' : `\n    npm run fuzz -- --only ${name} --input ${keep(bytes, dir)}`;
    return `  ${what} (seed ${seed}): ${words.split('\n').slice(0, 4).join('\n    ')}${where}`;
  });
  return [`${line}  findings: ${findings.length}`, ...details].join('\n');
}

function keep(bytes: Uint8Array, dir: string): string {
  const file = join(dir, `${createHash('sha256').update(bytes).digest('hex').slice(0, 16)}.bin`);
  writeFileSync(file, bytes);
  return file;
}
