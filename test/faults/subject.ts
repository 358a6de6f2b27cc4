/** One request, followed from its POST to the books of the simulator. */

import { randomBytes } from 'node:crypto';
import type { Test } from 'tap';
import type { AvatarView } from '../../src/http/schemas/avatar.js';
import type { Problem } from '../../src/http/schemas/problem.js';
import type { CallEntry, Simulator, SubmitEntry } from '../simulator/simulator.js';
import { readAvatar, URLS } from '../support/requests.js';
import { until } from '../support/until.js';

/** An avatar, or a problem in its place. */
type Answer = Partial<Omit<AvatarView, 'status'> & Omit<Problem, 'status'>> & {
  status: AvatarView['status'] | number;
};

export interface Ask {
  readonly key?: string;
  readonly body?: object;
  readonly signal?: AbortSignal;
}

/** What becomes of one `POST /avatars`. It is known again in the simulator's books by its trace. */
export class Subject {
  readonly #trace: string;
  readonly #simulator: Simulator;
  #url: string;
  readonly status: number;
  readonly headers: Headers;
  readonly answer: Answer;

  private constructor(trace: string, simulator: Simulator, url: string, response: Response, text: string) {
    this.#trace = trace;
    this.#simulator = simulator;
    this.#url = url;
    this.status = response.status;
    this.headers = response.headers;
    this.answer = JSON.parse(text) as Answer;
  }

  static async post(
    { url, simulator }: { url: string; simulator: Simulator },
    { key, body = URLS, signal }: Ask = {},
  ): Promise<Subject> {
    const trace = traceparent();
    const headers = { 'content-type': 'application/json', traceparent: trace };
    const response = await fetch(`${url}/avatars`, {
      method: 'POST',
      headers: key === undefined ? headers : { ...headers, 'idempotency-key': key },
      body: JSON.stringify(body),
      signal: signal ?? null,
    });
    return new Subject(trace, simulator, url, response, await response.text());
  }

  /** The gateway that is asked. */
  get url(): string {
    return this.#url;
  }

  /** The avatar's id, also where a problem was answered that is about it. */
  get id(): string {
    return this.answer.id ?? this.answer.instance?.replace('/avatars/', '') ?? '';
  }

  /** The submits that reached the simulator for it. */
  posts(): CallEntry[] {
    return this.#simulator.calls('submit').filter(({ headers }) => headers.traceparent === this.#trace);
  }

  /** The tasks that were made for it: what it cost. */
  tasks(): SubmitEntry[] {
    return this.#simulator.ledger().filter(({ headers }) => headers.traceparent === this.#trace);
  }

  /** From now on it is asked after at another gateway. */
  at({ url }: { url: string }): this {
    this.#url = url;
    return this;
  }

  read(): Promise<AvatarView> {
    return readAvatar(this.#url, this.id);
  }

  /** Resolves with the avatar once it has one of the statuses. A store that is away is waited for. */
  becomes(...statuses: readonly AvatarView['status'][]): Promise<AvatarView> {
    let last = 'unread';
    return until(
      `${this.id} is ${statuses.join(' or ')}`,
      async () => {
        const avatar = await this.read().catch((error: Error) => error);
        last = avatar instanceof Error ? avatar.message : avatar.status;
        return avatar instanceof Error || !statuses.includes(avatar.status) ? null : avatar;
      },
      { withinMs: 60_000 },
    ).catch((error: Error) => {
      throw new Error(`${error.message}; it is ${last}`);
    });
  }

  /** Ends its task well and waits for the avatar to say so. */
  async succeeds(): Promise<AvatarView> {
    const { task_id } = await this.becomes('pending', 'processing', 'succeeded');
    this.#simulator.settle(task_id ?? '', { end: 'success' });
    return this.becomes('succeeded');
  }
}

function traceparent(): string {
  return `00-${randomBytes(16).toString('hex')}-${randomBytes(8).toString('hex')}-01`;
}

/**
 * Lets the workers make further passes: an avatar beside all others is claimed, submitted, looked at and finished, so
 * there was every chance to do something with the others.
 */
export async function passes(app: { url: string; simulator: Simulator }): Promise<void> {
  const { simulator } = app;
  const bystander = await Subject.post(app);
  for (let polls = 0; polls < 3; polls++) await simulator.nextCall('query');
  await bystander.succeeds();
}

/** What must hold of an avatar whose submit came to nothing that is known: said, with what to do, and never sent again. */
export async function isUnconfirmed(t: Test, subject: Subject, reason: RegExp): Promise<void> {
  const { task_id, error, completed_at, video } = await subject.becomes('unconfirmed');
  t.equal(error?.type, 'urn:avatar-gateway:problem:outcome-unknown');
  t.match(error?.detail, reason, 'the reason');
  t.match(error?.detail, /may or may not have been made/, 'what is known');
  t.match(error?.detail, /not sent again: .* Modellix console, and resolve the avatar/, 'what to do');
  t.same([task_id, video], [null, null]);
  t.ok(completed_at);
  t.ok(subject.posts().length <= 1, `${subject.posts().length} POSTs`);
  t.ok(subject.tasks().length <= 1, `${subject.tasks().length} tasks`);
}

/** One POST, one task, and the avatar has it. */
export async function isPaidOnce(t: Test, subject: Subject): Promise<void> {
  const { task_id } = await subject.succeeds();
  t.same(
    subject.tasks().map(({ taskId }) => taskId),
    [task_id],
  );
}
