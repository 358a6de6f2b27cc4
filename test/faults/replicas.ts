/** The gateway as it is run on each store: one process on the embedded one, three replicas on Redis. */

import type { Test } from 'tap';
import type { AppOverrides, RunningApp } from '../support/app.js';
import type { StoreName } from './cases.js';
import { type Ask, Subject } from './subject.js';
import { startWorld, type World } from './world.js';

const REPLICAS = 3;

/** How a replica says that the upstream stands, and what waits for it. */
export interface Standing {
  readonly breaker: 'closed' | 'open';
  readonly submit_path: {
    readonly state: 'ok' | 'no_route';
    readonly path: string;
    readonly advice: string | null;
  };
  readonly queued: number;
  readonly keys: readonly {
    readonly id: string;
    readonly state: 'ok' | 'paused' | 'resting';
    readonly until: string | null;
    readonly unfinished_tasks: number;
    readonly tasks_limit: number;
    readonly calls_per_minute_limit: number;
  }[];
}

export interface Replicas extends World {
  readonly all: readonly RunningApp[];
  /** So many requests at once, to one replica after the other. */
  post(count: number, ask?: (at: number) => Ask): Promise<Subject[]>;
  /** One request behind the other. */
  postInTurn(count: number): Promise<Subject[]>;
  /** What `/readyz` of each says. */
  standings(): Promise<Standing[]>;
  /** A metric with its labels, summed over all. */
  metric(name: string): Promise<number>;
  /** What all of them logged, in the order of time. */
  logged(): Record<string, unknown>[];
}

export async function startReplicas(
  t: Test,
  store: StoreName,
  overrides: AppOverrides = {},
): Promise<Replicas> {
  const first = await startWorld(t, store, overrides);
  const all: RunningApp[] = [first];
  while (store === 'redis' && all.length < REPLICAS) all.push(await first.restart());
  let next = 0;
  const post = (ask: Ask) => {
    next += 1;
    return Subject.post(all[next % all.length] ?? first, ask);
  };
  return {
    ...first,
    all,
    post: (count, ask = () => ({})) => Promise.all(Array.from({ length: count }, (_, at) => post(ask(at)))),
    async postInTurn(count) {
      const subjects: Subject[] = [];
      while (subjects.length < count) subjects.push(await post({}));
      return subjects;
    },
    standings: () =>
      Promise.all(all.map(async ({ url }) => (await (await fetch(`${url}/readyz`)).json()) as Standing)),
    async metric(name) {
      const texts = await Promise.all(all.map(async ({ url }) => (await fetch(`${url}/metrics`)).text()));
      const values = texts.map((text) => {
        const line = text.split('\n').find((each) => each.startsWith(`${name} `));
        return line === undefined ? 0 : Number(line.slice(name.length));
      });
      return values.reduce((sum, value) => sum + value, 0);
    },
    logged: () =>
      all
        .flatMap(({ logLines }) => logLines().map((line) => JSON.parse(line) as Record<string, unknown>))
        .sort((a, b) => Number(a.time) - Number(b.time)),
  };
}
