/** `npm run flips`: wrong bytes in the embedded store's files, one at a time. Exits 1 where one was neither refused nor harmless. */

import { parseArgs } from 'node:util';
import { flips } from './flips.js';

const text = { type: 'string' } as const;
const { values } = parseArgs({
  options: { count: { ...text, default: '500' }, seed: text, verbose: { type: 'boolean' } },
});
const seed = Number(values.seed ?? Math.floor(Math.random() * 1e6));
console.log(`seed ${seed}`);
const tally = await flips({
  count: Number(values.count),
  seed,
  onFlip({ what, verdict }) {
    if (values.verbose) console.log(`${what}: ${JSON.stringify(verdict)}`);
  },
});
for (const violation of tally.violations) console.log(`VIOLATION ${violation}`);
const { refused, quarantined, harmless, violations } = tally;
console.log(
  `refused ${refused}, quarantined ${quarantined}, harmless ${harmless}, violations ${violations.length}`,
);
process.exitCode = violations.length === 0 ? 0 : 1;
