/** `npm run fuzz`: throws broken files at every parser for a while. Exits 1 on a crash, a hang or a leak. */

import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { fuzz } from './fuzz.js';
import { reportOf } from './report.js';
import { TARGETS } from './targets.js';

const USAGE = `npm run fuzz -- [options]

  --minutes N    of each target [5]
  --only A,B     targets: ${TARGETS.map(({ name }) => name).join(', ')} [all]
  --seed N       of every choice [any]
  --threads N    side by side [2]
  --input FILE   give this file to the targets, once, and nothing else
`;

function readOptions() {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({
    options: {
      minutes: { ...text, default: '5' },
      only: { ...text, default: TARGETS.map(({ name }) => name).join(',') },
      seed: { ...text, default: String(Math.floor(Math.random() * 1e6)) },
      threads: { ...text, default: '2' },
      input: text,
    },
  });
  const targets = values.only.split(',').map((only) => {
    const target = TARGETS.find(({ name }) => name === only);
    if (target === undefined) throw new RangeError(`there is no target "${only}"`);
    return target;
  });
  return {
    targets,
    durationMs: number('minutes', values.minutes, 0.01, 1440) * 60_000,
    seed: number('seed', values.seed, 0, 2 ** 32 - 1),
    threads: number('threads', values.threads, 1, 64),
    input: values.input ?? null,
  };
}

function number(name: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (text.trim() !== '' && value >= least && value <= most) return value;
  throw new RangeError(`--${name} is a number from ${least} to ${most}`);
}

let options: ReturnType<typeof readOptions>;
try {
  options = readOptions();
} catch (error) {
  process.stderr.write(`fuzz: ${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
  process.exit(2);
}
const { input, seed } = options;
if (input !== null) {
  for (const { name, run } of options.targets) {
    const begun = performance.now();
    const said = await Promise.resolve(run(readFileSync(input))).then(
      () => 'taken',
      (error: unknown) => (error instanceof Error ? error.stack : String(error)),
    );
    process.stdout.write(`${name}: ${(performance.now() - begun).toFixed(0)} ms: ${said}\n`);
  }
} else {
  const dir = mkdtempSync(join(tmpdir(), 'avatar-gateway-fuzz-'));
  const results = await fuzz({
    ...options,
    module: new URL('./targets.ts', import.meta.url),
    onResult: (result) => process.stdout.write(`${reportOf(result, seed, dir)}\n`),
  });
  const findings = results.reduce((sum, result) => sum + result.findings.length, 0);
  process.stdout.write(`fuzz: seed ${seed}, ${results.length} targets, ${findings} findings\n`);
  process.exitCode = findings === 0 ? 0 : 1;
}
