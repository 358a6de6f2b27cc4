import type { IncomingMessage, ServerResponse } from 'node:http';
import { Accounts, type Excess } from './accounts.js';
import { control } from './control.js';
import { exchange, readBody } from './exchange.js';
import { type Fault, Faults, type Injected } from './faults.js';
import { type CallEntry, Ledger, type SubmitEntry } from './ledger.js';
import { Listener } from './listener.js';
import { type PushEntry, Pushes } from './pushes.js';
import { seeded } from './random.js';
import { Results } from './results.js';
import { send } from './send.js';
import { Service } from './service.js';
import { DEFAULTS, patchSettings, type Settings, type SettingsPatch } from './settings.js';
import type { SlotUse } from './slots.js';
import { type Fate, type Task, type TaskStatus, Tasks } from './tasks.js';
import { type CallKind, json } from './wire.js';

export type { Fault, FaultAction, Injected } from './faults.js';
export type { CallEntry, SubmitEntry } from './ledger.js';
export type { PushEntry } from './pushes.js';
export { DEFAULT_KEY, type Settings, type SettingsPatch } from './settings.js';
export type { SlotUse } from './slots.js';
export type { Fate, TaskStatus } from './tasks.js';
export { type CallKind, SUBMIT_PATHS } from './wire.js';

export interface SimulatorOptions {
  /** 127.0.0.1 if not given. */
  readonly host?: string;
  /** 0, which is any free port, if not given. */
  readonly port?: number;
  /** Changes to the defaults, which are the vendor's. */
  readonly settings?: SettingsPatch;
  /** Seed of every chance, and of fault probabilities. */
  readonly seed?: number;
  /** Where every task made and every call is appended as a line of JSON, synchronously. */
  readonly ledgerFile?: string;
  /** The clock, in ms since the epoch. */
  readonly now?: () => number;
}

/** What was made of the limits since the start, or the last reset. */
export interface Over extends Excess {
  /** The simulator's clock, in ms since the epoch. */
  readonly at: number;
  /** By the name of the team. */
  readonly teams: Readonly<Record<string, SlotUse>>;
}

/** A running Modellix that is not one. */
export interface Simulator {
  readonly url: string;
  readonly port: number;
  /** Every task that was made, in order: what a real account would have paid for. */
  ledger(): SubmitEntry[];
  calls(kind?: CallKind): CallEntry[];
  tasks(): (Task & { status: TaskStatus })[];
  over(): Over;
  /** Every push that was tried, in order. */
  pushes(): PushEntry[];
  /** Pushes a task now, whatever its status, with its token or a forged one. */
  push(taskId: string, how?: { readonly forged?: boolean }): void;
  /** Resolves with the next push, when it was answered. */
  nextPush(): Promise<PushEntry>;
  /** Gives a task another end, at once or `inMs` from now. */
  settle(taskId: string, fate: Fate): void;
  /** Makes a task unknown: a query for it is answered 404. */
  forget(taskId: string): void;
  /** Puts a fault in force; throws a `RangeError` where its parts contradict each other. */
  inject(fault: Fault): Injected;
  faults(): Injected[];
  clearFaults(id?: string): number;
  /** Lets held calls go on; says how many. */
  release(faultId?: string): number;
  settings(): Settings;
  /** Applies a JSON merge patch to the settings; throws a `RangeError` that names a wrong member. */
  configure(patch: SettingsPatch): Settings;
  /** The next call of a kind, when its head has arrived. */
  nextCall(kind: CallKind): Promise<CallEntry>;
  /** The next call of a kind whose answer is out, or whose connection is gone. */
  nextEnd(kind: CallKind): Promise<CallEntry>;
  /** The next task that is made. */
  nextTask(): Promise<SubmitEntry>;
  /** Goes away: connections are cut, new ones refused. Nothing is forgotten. */
  pause(): Promise<void>;
  /** Comes back on the same port. */
  resume(): Promise<void>;
  /** Back to how it started: no tasks, calls, faults or counts, and the first settings. Held calls go on, into the new books. */
  reset(): void;
  /** Closing twice is fine. */
  close(): Promise<void>;
}

/** Starts a Modellix on a port of its own. */
export async function startSimulator(options: SimulatorOptions = {}): Promise<Simulator> {
  const host = options.host ?? '127.0.0.1';
  const now = options.now ?? Date.now;
  const random = seeded(options.seed ?? 1);
  const initial = patchSettings(DEFAULTS, options.settings ?? {});
  let settings = structuredClone(initial);

  const ledger = new Ledger(now, options.ledgerFile ?? null);
  const tasks = new Tasks(now, () => ({
    teams: Object.keys(settings.teams),
    concurrency: settings.concurrency,
  }));
  const faults = new Faults(random);
  const accounts = new Accounts(() => settings, now, random);
  const results = new Results(now, (taskId) => {
    const task = tasks.get(taskId);
    return task === undefined ? null : tasks.endsAt(task);
  });
  const pushes = new Pushes({ settings: () => settings.pushes, tasks, now, random });
  const service = new Service({ settings: () => settings, accounts, tasks, results, ledger, pushes, random });

  const handle = async (req: IncomingMessage, res: ServerResponse) => {
    const url = new URL(`http://simulator${req.url?.startsWith('/') ? req.url : '/'}`);
    if (!url.pathname.startsWith('/_control/')) {
      return exchange(req, res, url, { service, faults, tasks, ledger });
    }
    const body = (await readBody(req)) ?? Buffer.alloc(0);
    const asked = { method: req.method ?? '', path: url.pathname, query: url.searchParams, body };
    return send(res, control(simulator, asked), {});
  };
  const listener = new Listener(host, options.port ?? 0, (req, res) => {
    handle(req, res).catch((error: unknown) => {
      console.error('simulator:', error);
      if (res.headersSent) res.destroy();
      else void send(res, json(500, { code: 500, message: 'Internal error: simulator', data: {} }), {});
    });
  });

  const taskOf = (taskId: string) => {
    const task = tasks.get(taskId);
    if (task === undefined) throw new RangeError(`no such task: ${taskId}`);
    return task;
  };
  const nextOf = (event: 'call' | 'end', kind: CallKind) =>
    new Promise<CallEntry>((resolve) => {
      const listen = (entry: CallEntry) => {
        if (entry.kind !== kind) return;
        ledger.off(event, listen);
        resolve(entry);
      };
      ledger.on(event, listen);
    });

  const simulator: Simulator = {
    get url() {
      return `http://${host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host}:${listener.port}`;
    },
    get port() {
      return listener.port;
    },
    ledger: () => ledger.submits(),
    calls: (kind) => ledger.calls(kind),
    tasks: () => tasks.all().map((task) => ({ ...task, status: tasks.status(task) })),
    over: () => ({ at: now(), ...accounts.excess(), teams: tasks.slots.use() }),
    pushes: () => pushes.all(),
    push: (taskId, how = {}) => pushes.push(taskOf(taskId), how),
    nextPush: () => pushes.next(),
    settle: (taskId, fate) => tasks.settle(taskOf(taskId), fate),
    forget: (taskId) => tasks.forget(taskOf(taskId).id),
    inject: (fault) => faults.inject(fault),
    faults: () => faults.all(),
    clearFaults: (id) => faults.clear(id),
    release: (id) => faults.release(id),
    settings: () => structuredClone(settings),
    configure: (patch) => {
      const patched = patchSettings(settings, patch);
      tasks.slots.count();
      settings = patched;
      return structuredClone(settings);
    },
    nextCall: (kind) => nextOf('call', kind),
    nextEnd: (kind) => nextOf('end', kind),
    nextTask: () => new Promise((resolve) => ledger.once('task', resolve)),
    pause: () => listener.down(),
    resume: () => listener.up(),
    reset: () => {
      faults.clear();
      tasks.clear();
      ledger.clear();
      pushes.clear();
      accounts.clear();
      settings = structuredClone(initial);
    },
    close: async () => {
      await listener.down();
      pushes.close();
      faults.clear();
      ledger.close();
    },
  };

  await listener.up();
  return simulator;
}
