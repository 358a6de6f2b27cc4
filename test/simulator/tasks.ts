import { randomBytes } from 'node:crypto';
import { EventEmitter } from 'node:events';
import Type, { type Static } from 'typebox';
import { Value } from 'typebox/value';
import { type SlotLimits, Slots } from './slots.js';

/** Where Modellix may put the reason of a failure; which one it is, is not known. */
const Place = Type.Union([
  Type.Literal('error'),
  Type.Literal('error-object'),
  Type.Literal('message'),
  Type.Literal('envelope'),
]);

export const FateSchema = Type.Object(
  {
    end: Type.Union([
      Type.Literal('success'),
      Type.Literal('failed'),
      Type.Literal('canceled'),
      Type.Literal('never'),
    ]),
    /** From now to the end; at once if not given. */
    inMs: Type.Optional(Type.Integer({ minimum: 0 })),
    reason: Type.Optional(Type.String()),
    place: Type.Optional(Place),
    /** Whether it is billed though it failed. */
    billed: Type.Optional(Type.Boolean()),
  },
  { additionalProperties: false },
);

/** How a task ends; `canceled` is by Modellix itself. `never` keeps it `processing` for good. */
export type Fate = Static<typeof FateSchema>;

/** Reads a fate out of JSON; throws a `RangeError` that names what is wrong. */
export function fateOf(value: unknown): Fate {
  if (Value.Check(FateSchema, value)) return value;
  const error = Value.Errors(FateSchema, value)[0];
  throw new RangeError(`fate${error?.instancePath ?? ''}: ${error?.message ?? 'not valid'}`);
}

export type TaskStatus = 'pending' | 'processing' | 'success' | 'failed' | 'canceled';

export interface Task {
  readonly id: string;
  readonly key: string;
  readonly team: string;
  readonly mode: 'std' | 'pro';
  readonly cost: number;
  readonly submittedAt: number;
  pendingMs: number;
  durationMs: number;
  fate: Fate;
}

/** The tasks of all teams. A status is computed from the clock: no timer runs for a task. */
export class Tasks {
  readonly #now: () => number;
  readonly #tasks = new Map<string, Task>();
  readonly #changes = new EventEmitter().setMaxListeners(0);
  /** Which of them are unfinished, by team. */
  readonly slots: Slots;

  constructor(now: () => number, limits: () => SlotLimits) {
    this.#now = now;
    this.slots = new Slots(now, (task) => this.endsAt(task), limits);
  }

  add(made: Omit<Task, 'id' | 'submittedAt'>): Task {
    const task = { id: `task-${randomBytes(9).toString('hex')}`, submittedAt: this.#now(), ...made };
    this.#tasks.set(task.id, task);
    this.slots.open(task);
    return task;
  }

  get(id: string): Task | undefined {
    return this.#tasks.get(id);
  }

  all(): Task[] {
    return [...this.#tasks.values()];
  }

  /** What a query would say now. */
  status(task: Task): TaskStatus {
    const age = this.#now() - task.submittedAt;
    if (task.fate.end !== 'never' && age >= task.durationMs) return task.fate.end;
    return age < task.pendingMs ? 'pending' : 'processing';
  }

  isFinal(task: Task): boolean {
    return !['pending', 'processing'].includes(this.status(task));
  }

  /** When a task ends or has ended, in ms since the epoch. */
  endsAt(task: Task): number {
    return task.fate.end === 'never' ? Number.POSITIVE_INFINITY : task.submittedAt + task.durationMs;
  }

  /** Gives a task another end; wakes whoever waits on it. */
  settle(task: Task, fate: Fate): void {
    this.slots.free(task);
    task.fate = fate;
    task.durationMs = this.#now() - task.submittedAt + (fate.inMs ?? 0);
    task.pendingMs = Math.min(task.pendingMs, task.durationMs);
    this.slots.open(task);
    this.#changes.emit(task.id);
  }

  /** Makes a task unknown. */
  forget(id: string): void {
    const task = this.#tasks.get(id);
    if (task === undefined) return;
    this.#tasks.delete(id);
    this.slots.free(task);
    this.#changes.emit(id);
  }

  clear(): void {
    for (const id of [...this.#tasks.keys()]) this.forget(id);
    this.slots.clear();
  }

  /** Until the task is final or forgotten, `ms` have passed, or nobody listens any more. */
  async waitFinal(task: Task, ms: number, signal: AbortSignal): Promise<void> {
    const deadline = this.#now() + ms;
    while (this.#tasks.has(task.id) && !this.isFinal(task) && !signal.aborted) {
      const left = Math.min(deadline, this.endsAt(task)) - this.#now();
      if (left <= 0) return;
      await this.#change(task.id, left, signal);
    }
  }

  #change(id: string, ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        this.#changes.off(id, done);
        signal.removeEventListener('abort', done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      this.#changes.on(id, done);
      signal.addEventListener('abort', done);
    });
  }
}
