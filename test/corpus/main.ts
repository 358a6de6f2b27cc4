/** `npm run corpus`: good and bad files, judged by ffprobe, ImageMagick and the contract, and by the gateway. */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { lineOf, runCorpus } from './corpus.js';

const { values } = parseArgs({ options: { keep: { type: 'boolean', default: false } } });
const dir = await mkdtemp(join(tmpdir(), 'avatar-gateway-corpus-'));
try {
  const results = await runCorpus(dir);
  for (const result of results) process.stdout.write(`${lineOf(result)}\n`);
  const right = results.filter(({ ok }) => ok).length;
  const meant = results.filter(({ why }) => why !== null).length;
  process.stdout.write(
    `\n${meant} differ from the judge for a reason that is given\ncorpus: ${right} of ${results.length}\n`,
  );
  process.exitCode = right === results.length ? 0 : 1;
} finally {
  if (values.keep) process.stdout.write(`files: ${dir}\n`);
  else await rm(dir, { recursive: true });
}
