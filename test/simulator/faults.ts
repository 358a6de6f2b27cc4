import { setTimeout as sleep } from 'node:timers/promises';
import Type, { type Static } from 'typebox';
import { Value } from 'typebox/value';
import type { CallEntry } from './ledger.js';
import { FateSchema } from './tasks.js';

const strict = { additionalProperties: false };

const Point = Type.Union([
  Type.Literal('request'),
  Type.Literal('head'),
  Type.Literal('mid-head'),
  Type.Literal('mid-body'),
]);

const ActionSchema = Type.Object(
  {
    /** First: wait until released. */
    hold: Type.Optional(Type.Boolean()),
    /** Then: wait so many ms. */
    delay: Type.Optional(Type.Integer({ minimum: 0 })),
    /** Then give the task this call is about another end (`after` only). */
    fate: Type.Optional(FateSchema),
    /** Then change the answer: other status, more headers, other body (a string as it is, else JSON) … */
    status: Type.Optional(Type.Integer({ minimum: 200, maximum: 599 })),
    headers: Type.Optional(Type.Record(Type.String(), Type.String())),
    body: Type.Optional(Type.Unknown()),
    /** … a JSON merge patch on its body, only its first bytes, blanks added behind it. */
    patch: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
    cut: Type.Optional(Type.Integer({ minimum: 0 })),
    pad: Type.Optional(Type.Integer({ minimum: 0 })),
    /** Then send it in pieces, so many ms apart. */
    slow: Type.Optional(Type.Integer({ minimum: 0 })),
    /** Or break off: with a RST, with a FIN, or by falling silent. */
    reset: Type.Optional(Point),
    close: Type.Optional(Point),
    hang: Type.Optional(Point),
  },
  strict,
);

const FaultSchema = Type.Object(
  {
    on: Type.Union([
      Type.Literal('submit'),
      Type.Literal('query'),
      Type.Literal('account'),
      Type.Literal('result'),
    ]),
    /** Only calls with this key, or about this task. */
    key: Type.Optional(Type.String()),
    task: Type.Optional(Type.String()),
    /** How many calls it meets; 1, or no end where a probability is given. */
    times: Type.Optional(Type.Integer({ minimum: 1 })),
    probability: Type.Optional(Type.Number({ minimum: 0, maximum: 1 })),
    /** Before the call takes effect (the default, unless `do` alters the true answer or a task) or after. */
    when: Type.Optional(Type.Union([Type.Literal('before'), Type.Literal('after')])),
    do: ActionSchema,
  },
  strict,
);

/**
 * Where an answer breaks off: before the request's body is read, before, in, or behind the response's head. A
 * caller who leaves while its body is not read (`hang: 'request'`) is not noticed: the call stays open in the books.
 */
export type BreakPoint = Static<typeof Point>;
export type FaultAction = Static<typeof ActionSchema>;
/** One thing that goes wrong. A call meets at most one fault before and one after, the oldest that fits. */
export type Fault = Static<typeof FaultSchema>;

/** A fault that is in force, or was. */
export interface Injected {
  readonly id: string;
  readonly fault: Fault;
  /** How many calls it has met. */
  readonly count: number;
  /** The first call it meets, when it is held, broken off, or about to be answered. */
  readonly met: Promise<CallEntry>;
  /** Lets the calls it holds go on; says how many. */
  release(): number;
  /** Takes it away and lets go what it holds. */
  remove(): void;
}

/** Reads a fault out of JSON; throws a `RangeError` that names what is wrong. */
export function faultOf(value: unknown): Fault {
  if (Value.Check(FaultSchema, value)) return value;
  const error = Value.Errors(FaultSchema, value)[0];
  throw new RangeError(`fault${error?.instancePath ?? ''}: ${error?.message ?? 'not valid'}`);
}

class Armed implements Injected {
  readonly id: string;
  readonly fault: Fault;
  readonly when: 'before' | 'after';
  readonly met: Promise<CallEntry>;
  readonly #faults: Set<Armed>;
  readonly #held = new Set<() => void>();
  #first: (call: CallEntry) => void = () => {};
  #count = 0;

  constructor(id: string, fault: Fault, faults: Set<Armed>) {
    this.id = id;
    this.fault = fault;
    this.when = fault.when ?? (altersTruth(fault.do) ? 'after' : 'before');
    this.#faults = faults;
    this.met = new Promise((resolve) => {
      this.#first = resolve;
    });
  }

  get count(): number {
    return this.#count;
  }

  get spent(): boolean {
    const { times, probability } = this.fault;
    const limit = times ?? (probability === undefined ? 1 : Number.POSITIVE_INFINITY);
    return this.#count >= limit;
  }

  fits(call: CallEntry): boolean {
    const { on, key, task } = this.fault;
    return (
      !this.spent &&
      on === call.kind &&
      (key === undefined || key === call.key) &&
      (task === undefined || task === call.taskId)
    );
  }

  meet(call: CallEntry): void {
    this.#count += 1;
    call.fault = this.id;
  }

  /** The waiting a fault begins with. `met` comes true once the call can be released. */
  async wait(call: CallEntry): Promise<void> {
    const { hold, delay } = this.fault.do;
    const released = hold === true ? new Promise<void>((resolve) => this.#held.add(resolve)) : undefined;
    this.#first(call);
    await released;
    if (delay !== undefined) await sleep(delay);
  }

  release(): number {
    const held = [...this.#held];
    this.#held.clear();
    for (const go of held) go();
    return held.length;
  }

  remove(): void {
    this.#faults.delete(this);
    this.release();
  }
}

/** The faults in force, in the order they were given. */
export class Faults {
  readonly #random: () => number;
  readonly #armed = new Set<Armed>();
  #seq = 0;

  constructor(random: () => number) {
    this.#random = random;
  }

  /** Puts a fault in force; throws a `RangeError` where its parts contradict each other. */
  inject(fault: Fault): Injected {
    this.#seq += 1;
    const armed = new Armed(`fault-${this.#seq}`, fault, this.#armed);
    const { reset, close, hang, fate } = fault.do;
    const breaks = [reset, close, hang].filter((point) => point !== undefined);
    if (breaks.length > 1) throw new RangeError('fault/do: only one of reset, close, hang');
    if (armed.when === 'after' && breaks[0] === 'request') {
      throw new RangeError('fault/do: the request is read before the call takes effect');
    }
    if (armed.when === 'before' && fate !== undefined) {
      throw new RangeError('fault/do: there is no task before the call takes effect');
    }
    this.#armed.add(armed);
    return armed;
  }

  /** The fault a call meets, if any. */
  take(when: 'before' | 'after', call: CallEntry): Armed | undefined {
    for (const armed of this.#armed) {
      if (armed.when !== when || !armed.fits(call)) continue;
      if (this.#random() >= (armed.fault.probability ?? 1)) continue;
      armed.meet(call);
      return armed;
    }
    return undefined;
  }

  all(): Injected[] {
    return [...this.#armed];
  }

  /** Lets held calls go on: those of one fault, or all. */
  release(id?: string): number {
    return [...this.#armed]
      .filter((armed) => id === undefined || armed.id === id)
      .reduce((count, armed) => count + armed.release(), 0);
  }

  /** Takes away one fault, or all; says how many. */
  clear(id?: string): number {
    const cleared = [...this.#armed].filter((armed) => id === undefined || armed.id === id);
    for (const armed of cleared) armed.remove();
    return cleared.length;
  }
}

/** Where the answer breaks off, if it does. */
export function breakPoint(action: FaultAction): BreakPoint | undefined {
  return action.reset ?? action.close ?? action.hang;
}

/** Whether there is an answer or a break of its own: such a call, met before, takes no effect. */
export function endsCall(action: FaultAction): boolean {
  return action.status !== undefined || breakPoint(action) !== undefined;
}

function altersTruth(action: FaultAction): boolean {
  const { status, patch, cut, pad, slow, fate, headers, body } = action;
  if ([patch, cut, pad, slow, fate].some((member) => member !== undefined)) return true;
  return status === undefined && (headers !== undefined || body !== undefined);
}
