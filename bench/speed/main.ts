/**
 * How fast the gateway is beside forwarders, proxies and Fastify, all in one run: `npm run bench -- --help`.
 *
 * On this machine alone, with an upstream that answers at once: what is measured is the gateway's own cost.
 */

import { spawnSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import type { Teardown } from '../../test/support/redis-process.js';
import { machine, today, writeBlock, writePicture } from '../page.js';
import { processorTime } from '../process.js';
import { type Costs, type CostsEffort, costsOf } from './costs.js';
import { STORES } from './gateway.js';
import { picture } from './picture.js';
import { versionOf } from './proxies.js';
import { type CaseResult, page } from './report.js';
import { startUpstream, startWorld, withTeardown } from './rig.js';
import { type Case, casesWith } from './subjects.js';
import { type Effort, measure } from './turns.js';

const USAGE = `npm run bench -- [options]

  --quick              everything once with little load, to see that it works; the figures mean nothing
  --cases a,b          of submit, read, unchanged, costs; all
  --subjects a,b       of rig, bare, http-proxy, nginx, haproxy, portkey, fastify, fastify-redis, embedded, everysec, always; all
  --connections 50,10,1
  --turns 3            how often the subjects take turns
  --seconds 4          of each measurement
  --nginx PROGRAM      nginx, if it is not in the PATH; --haproxy PROGRAM likewise
  --portkey SCRIPT     build/start-server.js of @portkey-ai/gateway
  --write              into docs/performance.md and docs/performance.svg`;

const { values } = parseArgs({
  options: {
    help: { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
    cases: { type: 'string', default: 'submit,read,unchanged,costs' },
    subjects: { type: 'string' },
    connections: { type: 'string' },
    turns: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '4' },
    nginx: { type: 'string', default: 'nginx' },
    haproxy: { type: 'string', default: 'haproxy' },
    portkey: { type: 'string' },
    write: { type: 'boolean', default: false },
  },
});
const { quick } = values;
const wanted = values.cases.split(',');

/** As many as there are connections, and more. */
const FEW = { answers: 60 };
const seconds = Number(values.seconds);
const EFFORT: Effort = {
  turns: quick ? 1 : Number(values.turns),
  connections: (values.connections ?? (quick ? '10' : '50,10,1')).split(',').map(Number),
  length: quick ? FEW : { seconds },
  warmUp: quick
    ? { first: FEW, each: FEW }
    : { first: { seconds: Math.min(3, seconds) }, each: { seconds: Math.min(1, seconds / 4) } },
};
const COSTS_EFFORT: CostsEffort = quick
  ? { starts: 1, restMs: 100, counted: 5, weighed: 20 }
  : { starts: 3, restMs: 2_000, counted: 100, weighed: 2_000 };

/** Those of a case that are here and wanted. */
function picked(kase: Case): Case {
  const ids = values.subjects?.split(',');
  const subjects = kase.subjects.filter(({ id, name, version }) => {
    if (ids !== undefined && !ids.includes(id)) return false;
    if (version === null) console.log(`${name}: not installed, skipped`);
    return version !== null;
  });
  return { ...kase, subjects };
}

async function bench(t: Teardown): Promise<void> {
  const begun = await processorTime();
  const world = await startWorld(t);
  const results: CaseResult[] = [];
  for (const kase of casesWith(values)
    .filter(({ id }) => wanted.includes(id))
    .map(picked)) {
    results.push({ kase, measured: await measure(world, kase, EFFORT) });
  }
  const costs: Costs[] = [];
  if (wanted.includes('costs')) {
    const finishedUrl = await startUpstream(t, world.bench, 'finished');
    for (const store of STORES) costs.push(await costsOf(world, finishedUrl, store, COSTS_EFFORT));
  }
  const { total, stolen } = await processorTime();
  const stolenShare = (stolen - begun.stolen) / (total - begun.total);
  const text = page(results, costs, await footnote(results, world.cores, stolenShare));
  const svg = picture(results, `avatar-gateway beside others, ${today()}`);
  if (quick) {
    console.log('all of it works; what a quick run measures means nothing');
    return;
  }
  console.log(`\n${text}`);
  if (!values.write) return;
  await writeBlock('performance.md', 'bench', text);
  await writePicture('performance.svg', svg);
}

/** With what it was made. */
async function footnote(results: readonly CaseResult[], cores: string, stolenShare: number): Promise<string> {
  const packages = ['fastify', '@fastify/http-proxy', 'undici', 'autocannon'].map(async (name) => {
    const file = new URL(`../../node_modules/${name}/package.json`, import.meta.url);
    const { version } = JSON.parse(await readFile(file, 'utf8')) as { readonly version: string };
    return `${name} ${version}`;
  });
  const programs = [
    `Redis ${versionOf('redis-server', '--version')}`,
    ...results.flatMap(({ kase }) =>
      kase.subjects.flatMap(({ name, version }) => (version == null ? [] : [`${name} ${version}`])),
    ),
  ];
  const { stdout } = spawnSync('git', ['describe', '--always', '--dirty'], { encoding: 'utf8' });
  const commit = stdout?.trim() || 'unknown';
  const command = ['npm run bench --', ...process.argv.slice(2)].join(' ');
  const average = loadavg().map((each) => each.toFixed(1));
  return `Made by \`${command}\` on ${today()}, of commit ${commit}: ${machine()};
${[...(await Promise.all(packages)), ...programs].join(', ')};
${cores}; load averages at the end ${average.join(', ')};
${(stolenShare * 100).toFixed(1)} % of the processors' time went to others on the same host.`;
}

if (values.help) console.log(USAGE);
else if (quick && values.write) throw new Error('a quick run has no figures to write');
else await withTeardown(bench);
