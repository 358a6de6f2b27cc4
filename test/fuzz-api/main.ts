/** `npm run fuzz:api`: makes requests for every route in the OpenAPI document. Exits 1 where an answer is not as promised. */

import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { FILE } from '../support/openapi.js';
import { ApiDocument } from './document.js';
import { fuzzApi } from './fuzz.js';
import { startFuzzed } from './gateway.js';
import { describeFinding } from './report.js';

const USAGE = `npm run fuzz:api -- [options]

  --requests N     how many [20000]
  --concurrency N  at once [32]
  --seed N         of every choice [any]
`;
/** Of so many findings the first are telling. */
const MOST_SHOWN = 20;

function readOptions() {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({
    options: {
      requests: { ...text, default: '20000' },
      concurrency: { ...text, default: '32' },
      seed: { ...text, default: String(Math.floor(Math.random() * 1e6)) },
    },
  });
  return {
    requests: number('requests', values.requests, 1, 1e8),
    concurrency: number('concurrency', values.concurrency, 1, 1_000),
    seed: number('seed', values.seed, 0, 2 ** 32 - 1),
  };
}

function number(name: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (Number.isInteger(value) && text.trim() !== '' && value >= least && value <= most) return value;
  throw new RangeError(`--${name} is a whole number from ${least} to ${most}`);
}

let options: ReturnType<typeof readOptions>;
try {
  options = readOptions();
} catch (error) {
  process.stderr.write(`fuzz:api: ${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
  process.exit(2);
}

const ends: (() => void | Promise<void>)[] = [];
const gateway = await startFuzzed({ teardown: (end) => ends.unshift(end) });
const document = new ApiDocument(readFileSync(FILE, 'utf8'));
const dir = mkdtempSync(join(tmpdir(), 'avatar-gateway-fuzz-api-'));
process.stdout.write(`fuzz:api: seed ${options.seed}, ${options.requests} requests\n`);
const begun = performance.now();
let shown = 0;
const { tally, findings } = await fuzzApi({
  ...options,
  document,
  key: gateway.key,
  url: gateway.url,
  recipes: gateway.recipes,
  onFinding: (finding) => {
    if (shown++ < MOST_SHOWN) process.stdout.write(`${describeFinding(finding, dir)}\n`);
  },
});
const seconds = (performance.now() - begun) / 1000;
const loud = gateway.logLines().filter((line) => (JSON.parse(line) as { level: number }).level >= 50);
for (const line of loud.slice(0, MOST_SHOWN)) process.stdout.write(`logged: ${line}\n`);
for (const end of ends) await end();

const good = options.requests - findings.length;
process.stdout.write(`${tally.table(document)}\n`);
process.stdout.write(
  `fuzz:api: seed ${options.seed}, ${seconds.toFixed(0)} s, ${loud.length} errors logged\n`,
);
process.stdout.write(`${good} of ${options.requests} requests answered as documented\n`);
process.exitCode = findings.length === 0 && loud.length === 0 ? 0 : 1;
