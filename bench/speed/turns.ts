/** The subjects of a case by turns, each started anew for a turn, and what was served checked. */

import { setTimeout as sleep } from 'node:timers/promises';
import type { Length, Loaded } from './messages.js';
import type { Measured } from './ratios.js';
import { type Load, type World, withTeardown } from './rig.js';
import type { Case, Subject, Target } from './subjects.js';
import { cpuMs, rssBytes } from './usage.js';

export interface Effort {
  readonly turns: number;
  readonly connections: readonly number[];
  readonly length: Length;
  /** Before the first measurement of a turn, at the most connections; and before each one, at its own. */
  readonly warmUp: { readonly first: Length; readonly each: Length };
}

const BETWEEN_TRIES_MS = 20;
const LONGEST_MS = 10_000;

/** @throws when something is not answered as it has to be, or an avatar was answered and not sent */
export async function measure(world: World, kase: Case, effort: Effort): Promise<Measured[]> {
  const all: Measured[] = [];
  for (let turn = 1; turn <= effort.turns; turn++) {
    await withTeardown(async (t) => {
      const targets: [Subject, Target][] = [];
      for (const subject of kase.subjects) targets.push([subject, await subject.start(t, world)]);
      for (const [, target] of targets) {
        await untilAnswered(target);
        await loaded(world.load, target, Math.max(...effort.connections), effort.warmUp.first);
      }
      for (const connections of effort.connections) {
        // Whoever is last in one turn is first in the next.
        for (const [{ id, name }, target] of turn % 2 === 0 ? targets.toReversed() : targets) {
          const what = `${kase.id}, turn ${turn}, ${String(connections).padStart(2)} connections`;
          const one = await measured(world, target, connections, effort).catch((cause) => {
            throw new Error(`${what}, ${name}`, { cause });
          });
          all.push({ ...one, subject: id, connections, turn });
          console.log(`${what} ${`${one.perSecond.toFixed(0)}/s`.padStart(9)}  ${name}`);
        }
      }
    });
  }
  return all;
}

type Figures = Omit<Measured, 'subject' | 'connections' | 'turn'>;

async function measured(
  { load, upstreamUrl }: World,
  target: Target,
  connections: number,
  { warmUp, length }: Effort,
): Promise<Figures> {
  await loaded(load, target, connections, warmUp.each);
  const { pid, storePid } = target;
  const used = () => Promise.all([pid, storePid].map((each) => (each === null ? 0 : cpuMs(each))));
  const sentBefore = await submits(upstreamUrl);
  const [usedBefore, startedAt] = [await used(), performance.now()];
  const { answers, perSecond, p50Ms, p99Ms } = await loaded(load, target, connections, length);
  const tookMs = performance.now() - startedAt;
  const usedAfter = await used();
  const [cpu = 0, storeCpu = 0] = usedAfter.map((after, n) => after - (usedBefore[n] ?? 0));
  if (target.request.method === 'POST') await untilSent(upstreamUrl, sentBefore + answers);
  return {
    perSecond,
    p50Ms,
    p99Ms,
    cpuMs: cpu / answers,
    storeCpuMs: storeCpu / answers,
    busy: cpu / tookMs,
    rssBytes: pid === null ? 0 : await rssBytes(pid),
  };
}

/** @throws unless everything was answered as it has to be */
export async function loaded(
  load: Load,
  target: Target,
  connections: number,
  length: Length,
): Promise<Loaded> {
  load.tell({ kind: 'load', job: { ...target.request, connections, length } });
  const { loaded } = await load.hear('loaded');
  const { statuses, errors, answers } = loaded;
  if (errors > 0 || answers === 0 || Object.keys(statuses).join() !== String(target.status))
    throw new Error(`answers by status ${JSON.stringify(statuses)}, not ${target.status}; ${errors} errors`);
  return loaded;
}

async function untilAnswered({ request, status }: Target): Promise<void> {
  const { url, method, headers, body = null } = request;
  await until(`${url} answers ${status}`, async () => {
    const answer = await fetch(url, { method, headers, body }).catch(() => null);
    await answer?.arrayBuffer();
    return answer?.status === status;
  });
}

/** Nothing was answered that Modellix did not get. */
async function untilSent(upstreamUrl: string, least: number): Promise<void> {
  await until(`Modellix got ${least} submits`, async () => (await submits(upstreamUrl)) >= least);
}

async function submits(upstreamUrl: string): Promise<number> {
  return Number(await (await fetch(`${upstreamUrl}/count`)).text());
}

async function until(what: string, isSo: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + LONGEST_MS;
  while (!(await isSo())) {
    if (performance.now() > deadline) throw new Error(`waited in vain until ${what}`);
    await sleep(BETWEEN_TRIES_MS);
  }
}
