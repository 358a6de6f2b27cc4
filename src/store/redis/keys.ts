/** The keyspace in Redis. All keys share one hash tag, so that a Redis Cluster keeps them together. */
export class Keys {
  readonly #tag: string;
  /** Ids by due time, where the next step needs no call. */
  readonly due: string;
  readonly lanes: string;
  readonly queue: string;
  readonly callers: string;
  readonly clock: string;
  readonly bytes: string;
  readonly doubt: string;
  /** Every caller, by the place of the last change of its avatars. */
  readonly everyone: string;
  /** A channel: what `tell` says of avatars as they are written. */
  readonly changes: string;
  /** Of all callers that ever had an avatar. */
  readonly ping: string;
  readonly mark: string;

  constructor(prefix: string) {
    this.#tag = `{${prefix}}`;
    this.due = `${this.#tag}:due`;
    this.lanes = `${this.#tag}:lanes`;
    this.queue = `${this.#tag}:queue`;
    this.callers = `${this.#tag}:queue-callers`;
    this.clock = `${this.#tag}:queue-clock`;
    this.bytes = `${this.#tag}:queue-bytes`;
    this.doubt = `${this.#tag}:queue-doubt`;
    this.everyone = `${this.#tag}:everyone`;
    this.changes = `${this.#tag}:changes`;
    this.ping = `${this.#tag}:ping`;
    this.mark = `${this.#tag}:mark`;
  }

  record(id: string): string {
    return `${this.#tag}:avatar:${id}`;
  }

  submission(id: string): string {
    return `${this.#tag}:submission:${id}`;
  }

  /** Where a large submission waits for its avatar to be created. */
  upload(token: string): string {
    return `${this.#tag}:upload:${token}`;
  }

  aside(id: string): string {
    return `${this.#tag}:corrupt:${id}`;
  }

  document(name: string): string {
    return `${this.#tag}:doc:${name}`;
  }

  hits(name: string): string {
    return `${this.#tag}:hits:${name}`;
  }

  /** Names of the avatars of a caller, which is said by its digest: see `lists.ts`. */
  list(caller: string): string {
    return `${this.#tag}:list:${caller}`;
  }

  /** Ids by the place of their last change. */
  feed(caller: string): string {
    return `${this.#tag}:feed:${caller}`;
  }

  /** What a caller, which is said by its digest, spent in a month: see `accounts.ts`. */
  account(caller: string, month: string): string {
    return `${this.#tag}:spend:${caller}:${month}`;
  }

  dueOf(lane: string | null): string {
    return lane === null ? this.due : `${this.#tag}:due:${lane}`;
  }

  /** What a key to Modellix has of its own; nothing where there is none. */
  ofLane(lane: string | null): string[] {
    return lane === null || lane === '' ? [] : [this.dueOf(lane), `${this.#tag}:slots:${lane}`];
  }

  /** What leads from an idempotency key to its avatar. */
  key(digest: string | null): string[] {
    return digest === null ? [] : [`${this.#tag}:key:${digest}`];
  }

  /** What leads from a task to its avatar. */
  task(taskId: string | null): string[] {
    return taskId === null ? [] : [`${this.#tag}:task:${taskId}`];
  }
}
