/** What goes wrong at the simulator, and the line to it. */

import type { Fault, FaultAction, Over, PushEntry } from '../simulator/simulator.js';
import type { Task } from '../simulator/tasks.js';
import { send } from './send.js';

/** A fault with the name it is counted under. */
export interface Named {
  readonly name: string;
  readonly fault: Fault;
}

const before = (name: string, probability: number, action: FaultAction): Named => ({
  name: `submit ${name}, no task`,
  fault: { on: 'submit', when: 'before', probability, do: action },
});
const after = (name: string, probability: number, action: FaultAction): Named => ({
  name: `submit ${name}, task made`,
  fault: { on: 'submit', when: 'after', probability, do: action },
});
const poll = (name: string, probability: number, action: FaultAction): Named => ({
  name: `poll ${name}`,
  fault: { on: 'query', when: 'after', probability, do: action },
});

const RUBBISH = '<html>';

/** About a third of the submits meet one that ends them, another third a delay in which a kill can fall. */
export const WEATHER: readonly Named[] = [
  before('reset, unread', 0.01, { reset: 'request' }),
  before('reset', 0.015, { reset: 'head' }),
  before('closed', 0.01, { close: 'head' }),
  before('hangs', 0.01, { hang: 'head' }),
  ...[408, 409, 425, 500, 502, 503, 504].map((status) => before(`${status}`, 0.006, { status })),
  ...[400, 413].map((status) => before(`${status}`, 0.008, { status })),
  before('402', 0.002, { status: 402 }),
  before('429', 0.03, { status: 429 }),
  before('429 with a time', 0.02, { status: 429, headers: { 'retry-after': '1' } }),
  before('delayed', 0.15, { delay: 250 }),
  after('reset', 0.015, { reset: 'head' }),
  after('reset in the head', 0.01, { reset: 'mid-head' }),
  after('reset in the body', 0.01, { reset: 'mid-body' }),
  after('closed', 0.01, { close: 'head' }),
  after('hangs', 0.01, { hang: 'head' }),
  after('hangs in the body', 0.01, { hang: 'mid-body' }),
  ...[500, 502, 503, 504].map((status) => after(`${status}`, 0.006, { status })),
  after('cut', 0.01, { cut: 20, headers: { 'content-type': 'application/json' } }),
  after('rubbish', 0.01, { body: RUBBISH }),
  after('code not 0', 0.01, { patch: { code: 7 } }),
  after('without task id', 0.01, { patch: { data: { task_id: null } } }),
  after('delayed', 0.25, { delay: 400 }),
  after('slow', 0.08, { slow: 60 }),
  after('late beyond time', 0.02, { delay: 1300 }),
  ...[404, 429, 500, 503].map((status) => poll(`${status}`, 0.02, { status })),
  poll('429 with a time', 0.01, { status: 429, headers: { 'retry-after': '2' } }),
  poll('reset', 0.02, { reset: 'head' }),
  poll('hangs', 0.01, { hang: 'head' }),
  poll('cut', 0.02, { cut: 30 }),
  poll('rubbish', 0.02, { body: RUBBISH }),
  poll('unfamiliar status', 0.02, { patch: { data: { status: 'dreaming' } } }),
  poll('delayed', 0.2, { delay: 500 }),
];

/** As a network has it: late, twice, out of order, or never. Who is told, and at which port, is said while the storm lasts. */
export const PUSHES = {
  afterMs: { min: 0, max: 400 },
  neverShare: 0.1,
  twiceShare: 0.3,
  forgedShare: 0.2,
  retryMs: 250,
};

/** Never finished: the gateway has to give up on it. Few, for that takes its minute. */
export const ENDLESS: readonly Named[] = [
  {
    name: 'task never ends',
    fault: { on: 'submit', when: 'after', probability: 0.05, times: 4, do: { fate: { end: 'never' } } },
  },
];

/** For a while submits fail, half of them with their tasks made, and polls work. */
export const SUBMITS_FAIL: readonly Named[] = [
  {
    name: 'submits fail, no task',
    fault: { on: 'submit', when: 'before', probability: 0.5, do: { status: 502 } },
  },
  {
    name: 'submits fail, task made',
    fault: { on: 'submit', when: 'after', probability: 1, do: { status: 504 } },
  },
];

/** The simulator's control routes. */
export class Control {
  readonly #url: string;
  readonly #names = new Map<string, string>();
  /** Of faults that are over, by name. */
  readonly #met = new Map<string, number>();

  constructor(simulatorUrl: string) {
    this.#url = `${simulatorUrl}/_control`;
  }

  async configure(settings: object): Promise<void> {
    await this.#call('PATCH', 'settings', settings);
  }

  /** Adds weather while work lasts. */
  async during(weather: readonly Named[], work: () => Promise<unknown>): Promise<void> {
    const ids = await this.inject(weather);
    await work();
    const { faults } = await this.#faults();
    for (const { id, count } of faults.filter(({ id }) => ids.includes(id))) this.#count(id, count);
    for (const id of ids) await this.#call('DELETE', `faults/${id}`);
  }

  /** @returns the ids of the faults */
  async inject(weather: readonly Named[]): Promise<string[]> {
    const { ids } = (await this.#call(
      'POST',
      'faults',
      weather.map(({ fault }) => fault),
    )) as { ids: string[] };
    for (const [at, id] of ids.entries()) this.#names.set(id, weather[at]?.name ?? id);
    return ids;
  }

  /** Takes all faults away; says how many calls each met. */
  async clear(): Promise<Map<string, number>> {
    const { faults } = await this.#faults();
    await this.#call('DELETE', 'faults');
    for (const { id, count } of faults) this.#count(id, count);
    return this.#met;
  }

  /** The tasks that never end. */
  async endless(): Promise<Set<string>> {
    const { tasks } = (await this.#call('GET', 'tasks')) as { tasks: Pick<Task, 'id' | 'fate'>[] };
    return new Set(tasks.filter(({ fate }) => fate.end === 'never').map(({ id }) => id));
  }

  /** How often the limits were exceeded. */
  async over(): Promise<Over> {
    return (await this.#call('GET', 'over')) as Over;
  }

  /** How often Modellix pushed, by what it was answered. */
  async pushes(): Promise<ReadonlyMap<string, number>> {
    const { pushes } = (await this.#call('GET', 'pushes')) as { pushes: PushEntry[] };
    const counts = new Map<string, number>();
    for (const { status, forged } of pushes) {
      const name = `${forged ? 'forged, ' : ''}${status ?? 'not answered'}`;
      counts.set(name, (counts.get(name) ?? 0) + 1);
    }
    return counts;
  }

  async #faults() {
    return (await this.#call('GET', 'faults')) as { faults: { id: string; count: number }[] };
  }

  #count(id: string, count: number): void {
    const name = this.#names.get(id) ?? id;
    this.#met.set(name, (this.#met.get(name) ?? 0) + count);
  }

  async #call(method: string, path: string, body?: unknown): Promise<unknown> {
    const text = body === undefined ? {} : { body: JSON.stringify(body) };
    const reply = await send(`${this.#url}/${path}`, { method, timeoutMs: 30_000, ...text });
    if (reply.status >= 400)
      throw new Error(`${method} ${path}: ${reply.status} ${JSON.stringify(reply.body)}`);
    return reply.body;
  }
}
