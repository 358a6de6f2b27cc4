/** The corpus: every file is judged as ffprobe, ImageMagick and the contract say. `npm run corpus` prints the lines. */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { CORPUS, lineOf, runCorpus } from './corpus/corpus.js';
import { exceptions } from './corpus/exceptions.js';

t.test('each exception belongs to a file, each file has a name of its own', async (t) => {
  const names = new Set(CORPUS.map(({ name }) => name));
  t.equal(names.size, CORPUS.length);
  t.strictSame(
    [...exceptions.keys()].filter((name) => !names.has(name)),
    [],
  );
});

t.test('the gateway judges every file as the judge does', async (t) => {
  const dir = await mkdtemp(join(tmpdir(), 'avatar-gateway-corpus-'));
  t.teardown(() => rm(dir, { recursive: true }));
  const results = await runCorpus(dir);
  t.equal(results.length, CORPUS.length);
  t.strictSame(
    results.filter(({ ok }) => !ok).map(lineOf),
    [],
    `corpus: ${results.filter(({ ok }) => ok).length} of ${results.length}`,
  );
});
