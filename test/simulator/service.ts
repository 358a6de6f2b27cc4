import type { IncomingHttpHeaders } from 'node:http';
import type { Accounts } from './accounts.js';
import { bearerOf } from './accounts.js';
import { checkSubmit, type SubmitRequest } from './checks.js';
import type { CallEntry, Ledger } from './ledger.js';
import type { Pushes } from './pushes.js';
import { normal } from './random.js';
import { type Results, VIDEO } from './results.js';
import type { Settings } from './settings.js';
import type { Task, Tasks } from './tasks.js';
import { describeTask } from './view.js';
import { type Answer, Refusal, type Route, refused, success } from './wire.js';

/** A call as the service sees it, its body read. */
export interface Incoming {
  readonly route: Route;
  readonly method: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  /** Aborted when the caller has gone. */
  readonly signal: AbortSignal;
  readonly entry: CallEntry;
}

/** What came of it; `task` is the one it was about. */
export interface Served {
  readonly answer: Answer;
  readonly task: Task | null;
}

export interface ServiceParts {
  readonly settings: () => Settings;
  readonly accounts: Accounts;
  readonly tasks: Tasks;
  readonly results: Results;
  readonly ledger: Ledger;
  readonly pushes: Pushes;
  readonly random: () => number;
}

/** Room for both media at their largest, in base64. */
export const MAX_BODY_BYTES = 25 * 1024 * 1024;

/** What Modellix does with a call when nothing goes wrong. */
export class Service {
  readonly #parts: ServiceParts;

  constructor(parts: ServiceParts) {
    this.#parts = parts;
  }

  /** Answers a call; a refusal is an answer, too. */
  async serve(call: Incoming): Promise<Served> {
    let limits: Record<string, string> = {};
    try {
      const { route } = call;
      if (route.kind === 'unknown') throw new Refusal(404, 'Not found: no such path');
      if (route.kind === 'submit' && !this.#parts.settings().submitPaths.includes(call.entry.path)) {
        throw new Refusal(404, 'Model not found: kling/kling-avatar');
      }
      if (!route.methods.includes(call.method)) {
        const allow = route.methods.join(', ');
        throw new Refusal(405, `Method not allowed: use ${allow}`, { allow });
      }
      if (route.kind === 'result') return this.#result(route, call);
      if (route.kind === 'account' && route.about === 'validate') return this.#validate(call);
      const { key, team } = this.#parts.accounts.authenticate(call.headers.authorization);
      limits = this.#parts.accounts.count(key);
      const served =
        route.kind === 'submit'
          ? await this.#submit(key, team, call)
          : route.kind === 'query'
            ? await this.#query(key, route.taskId, call)
            : { answer: success({ balance: this.#parts.accounts.balance(team) }), task: null };
      return { ...served, answer: withHeaders(served.answer, limits) };
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return { answer: withHeaders(refused(error), limits), task: null };
    }
  }

  async #submit(key: string, team: string, call: Incoming): Promise<Served> {
    const { accounts, tasks, ledger, pushes } = this.#parts;
    if (call.body.length > MAX_BODY_BYTES) {
      throw new Refusal(413, 'Payload too large: the request body is larger than 25 MB');
    }
    if ((call.headers['content-encoding'] ?? 'identity') !== 'identity') {
      throw new Refusal(415, 'Unsupported media type: Content-Encoding is not supported');
    }
    const request = await checkSubmit(call.body, call.headers['content-type']);
    const webhookUrl = webhookUrlIn(call.headers);
    if (tasks.slots.unfinished(team) >= this.#parts.settings().concurrency)
      throw accounts.concurrencyExceeded();
    const cost = costOf(request, this.#parts.settings().prices);
    accounts.charge(team, cost);
    const task = tasks.add({ key, team, mode: request.mode, cost, ...this.#course(request.mode) });
    ledger.accepted(task, request, call.entry, call.body);
    if (webhookUrl !== null) pushes.follow(task, webhookUrl, () => this.#describe(task, call).body);
    const answer = success({
      status: 'pending',
      task_id: task.id,
      model_id: 'kling-avatar',
      get_result: { method: 'GET', url: `${this.#base(call)}/api/v1/tasks/${task.id}` },
    });
    return { answer, task };
  }

  async #query(key: string, taskId: string, call: Incoming): Promise<Served> {
    const { tasks, settings } = this.#parts;
    const find = () => {
      const task = tasks.get(taskId);
      if (task === undefined || task.key !== key) throw new Refusal(404, `Task not found: ${taskId}`);
      return task;
    };
    const task = find();
    if (call.query.get('wait') === 'true') await tasks.waitFinal(task, settings().longPollMs, call.signal);
    find();
    return { answer: this.#describe(task, call), task };
  }

  #describe(task: Task, call: Incoming): Answer {
    const { tasks, results, settings } = this.#parts;
    const expiresAt = tasks.endsAt(task) + settings().resultTtlMs;
    const base = settings().publicUrl || this.#base(call);
    const url = results.url(base, task.id, expiresAt, settings().urlTtlMs);
    return describeTask(task, tasks.status(task), url, expiresAt, settings());
  }

  #result({ taskId, atEdge }: Extract<Route, { kind: 'result' }>, call: Incoming): Served {
    const { results, tasks, settings } = this.#parts;
    const { method, query, headers } = call;
    const answer = results.serve({ taskId, atEdge, method, query, range: headers.range }, settings());
    return { answer, task: tasks.get(taskId) ?? null };
  }

  #validate(call: Incoming): Served {
    const key = bearerOf(call.headers.authorization);
    if (key === null) throw new Refusal(401, 'Authentication failed: API key is missing');
    const isValid = this.#parts.accounts.isValid(key);
    const limits = isValid ? this.#parts.accounts.count(key) : {};
    return { answer: withHeaders(success({ is_valid: isValid }), limits), task: null };
  }

  #course(mode: SubmitRequest['mode']): Pick<Task, 'pendingMs' | 'durationMs' | 'fate'> {
    const { pendingShare, failureRate, failureReasons } = this.#parts.settings();
    const durationMs = Math.round(this.#durationMs(mode));
    const fails = this.#parts.random() < failureRate;
    const reason = () => failureReasons[Math.floor(this.#parts.random() * failureReasons.length)] ?? '';
    return {
      durationMs,
      pendingMs: Math.round(durationMs * pendingShare),
      fate: fails ? { end: 'failed', reason: reason() } : { end: 'success' },
    };
  }

  #durationMs(mode: SubmitRequest['mode']): number {
    const { settings, random } = this.#parts;
    const { taskMs, taskMedianMs, taskSigma } = settings();
    if (taskMedianMs[mode] > 0) return taskMedianMs[mode] * Math.exp(taskSigma * normal(random));
    return taskMs.min + random() * (taskMs.max - taskMs.min);
  }

  #base(call: Incoming): string {
    return `http://${call.headers.host ?? '127.0.0.1'}`;
  }
}

function webhookUrlIn({ 'x-webhook-url': url }: IncomingHttpHeaders): string | null {
  if (url === undefined) return null;
  const text = String(url);
  if (URL.canParse(text) && new URL(text).protocol === 'https:') return text;
  throw new Refusal(400, 'Invalid parameters: X-Webhook-URL must be an https URL');
}

function costOf(request: SubmitRequest, prices: Settings['prices']): number {
  const seconds = request.audioSeconds ?? VIDEO.seconds;
  return Number((seconds * prices[request.mode]).toFixed(4));
}

function withHeaders(answer: Answer, headers: Record<string, string>): Answer {
  return { ...answer, headers: { ...headers, ...answer.headers } };
}
