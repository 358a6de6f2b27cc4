import { createHash } from 'node:crypto';
import { EventEmitter } from 'node:events';
import { closeSync, openSync, writeSync } from 'node:fs';
import type { IncomingHttpHeaders } from 'node:http';
import type { SubmitRequest } from './checks.js';
import type { Task } from './tasks.js';
import type { CallKind } from './wire.js';

/** A call, from the moment its head has been read. */
export interface CallEntry {
  readonly seq: number;
  readonly at: number;
  readonly kind: CallKind | 'unknown';
  readonly method: string;
  readonly path: string;
  readonly key: string | null;
  /** Whether an `Authorization` header was there; on a result it must not be. */
  readonly authorization: boolean;
  readonly headers: Readonly<Record<string, string>>;
  taskId: string | null;
  /** `null` when no whole response head was sent. */
  status: number | null;
  /** The fault that met this call last. */
  fault: string | null;
  endedAt: number | null;
}

/** A task that was made: this is what costs money. */
export interface SubmitEntry extends SubmitRequest {
  readonly at: number;
  readonly taskId: string;
  readonly key: string;
  readonly team: string;
  readonly path: string;
  readonly sha256: string;
  readonly bytes: number;
  readonly headers: Readonly<Record<string, string>>;
}

interface LedgerEvents {
  call: [CallEntry];
  end: [CallEntry];
  task: [SubmitEntry];
}

const HEADERS = [
  'traceparent',
  'tracestate',
  'x-request-id',
  'idempotency-key',
  'user-agent',
  'content-type',
  'content-length',
  'range',
  'x-webhook-url',
];

/** The books: every call and every task, in memory and, if asked for, in a file that outlives a kill. */
export class Ledger extends EventEmitter<LedgerEvents> {
  readonly #now: () => number;
  #file: number | null;
  #calls: CallEntry[] = [];
  #submits: SubmitEntry[] = [];
  #seq = 0;

  constructor(now: () => number, file: string | null) {
    super();
    this.setMaxListeners(0);
    this.#now = now;
    this.#file = file === null ? null : openSync(file, 'a');
  }

  /** Enters a call whose head has arrived. */
  arrived(call: {
    kind: CallEntry['kind'];
    method: string;
    path: string;
    key: string | null;
    taskId: string | null;
    headers: IncomingHttpHeaders;
  }): CallEntry {
    this.#seq += 1;
    const entry: CallEntry = {
      seq: this.#seq,
      at: this.#now(),
      ...call,
      authorization: call.headers.authorization !== undefined,
      headers: pick(call.headers),
      status: null,
      fault: null,
      endedAt: null,
    };
    this.#calls.push(entry);
    this.emit('call', entry);
    return entry;
  }

  /** Closes a call's entry: its answer is out, or its connection gone. */
  ended(entry: CallEntry): void {
    entry.endedAt = this.#now();
    this.#write({ type: 'call', ...entry });
    this.emit('end', entry);
  }

  /** Enters a task at the moment it is made. */
  accepted(task: Task, request: SubmitRequest, call: CallEntry, body: Buffer): void {
    const entry: SubmitEntry = {
      at: task.submittedAt,
      taskId: task.id,
      key: task.key,
      team: task.team,
      path: call.path,
      sha256: createHash('sha256').update(body).digest('hex'),
      bytes: body.length,
      headers: call.headers,
      ...request,
    };
    this.#submits.push(entry);
    this.#write({ type: 'submit', ...entry });
    this.emit('task', entry);
  }

  calls(kind?: CallEntry['kind']): CallEntry[] {
    return kind === undefined ? [...this.#calls] : this.#calls.filter((call) => call.kind === kind);
  }

  submits(): SubmitEntry[] {
    return [...this.#submits];
  }

  /** Forgets what is in memory; the file is only ever appended to. */
  clear(): void {
    this.#calls = [];
    this.#submits = [];
  }

  close(): void {
    if (this.#file !== null) closeSync(this.#file);
    this.#file = null;
  }

  #write(line: object): void {
    if (this.#file !== null) writeSync(this.#file, `${JSON.stringify(line)}\n`);
  }
}

function pick(headers: IncomingHttpHeaders): Record<string, string> {
  const picked: Record<string, string> = {};
  for (const name of HEADERS) {
    const value = headers[name];
    if (value !== undefined) picked[name] = String(value);
  }
  return picked;
}
