/** A short fuzz of every parser, and of some that are broken on purpose. The long one: `npm run fuzz`. */

import t from 'tap';
import { TARGETS as BROKEN } from './fuzz/broken.js';
import { fuzz } from './fuzz/fuzz.js';
import { TARGETS } from './fuzz/targets.js';

t.test('no parser crashes, hangs or leaks', async (t) => {
  const module = new URL('fuzz/targets.ts', import.meta.url);
  const results = await fuzz({ module, targets: TARGETS, seed: 7, durationMs: 300, threads: 2 });
  for (const { name, findings, tally } of results) {
    t.strictSame(
      findings.map(({ what, words }) => `${what}: ${words}`),
      [],
      name,
    );
    t.ok((tally?.taken ?? 0) > 0, `${name}: some files are taken`);
    t.ok((tally?.kept ?? 0) > 0, `${name}: some files reach something new`);
  }
  t.equal(results.length, TARGETS.length);
});

t.test('parsers that are broken are found out', async (t) => {
  const module = new URL('fuzz/broken.ts', import.meta.url);
  const isLeaking = ({ name }: { readonly name: string }) => name === 'leaking';
  const options = { module, seed: 7, mostFindings: 1 };
  // A leak shows at the end only, and grows until then; the others are over once they are found.
  const results = await Promise.all([
    fuzz({ ...options, targets: BROKEN.filter(isLeaking), durationMs: 3_000, threads: 1 }),
    fuzz({ ...options, targets: BROKEN.filter((each) => !isLeaking(each)), durationMs: 120_000, threads: 2 }),
  ]);
  const found = new Map(results.flat().map(({ name, findings }) => [name, findings[0]]));
  t.match(found.get('crashing'), { what: 'crash', words: /ERR_OUT_OF_RANGE|outside buffer bounds/ });
  t.equal(found.get('crashing')?.bytes?.[0], 0xff, 'with the bytes');
  t.match(found.get('hanging'), { what: 'hang' });
  t.equal(found.get('hanging')?.bytes?.[0], 0xff);
  t.match(found.get('leaking'), { what: /^(leak|died)$/ });
});
