/**
 * A few workers on one store, beside an upstream that keeps a ledger, with every step between them in the hands of a
 * scheduler: each call to the store or the upstream can be held before it takes effect and before its reply arrives,
 * leases lapse whenever somebody looks, and a worker can die at any of these points.
 */

import type { Scheduler } from 'fast-check';
import { type Avatar, isFinal } from '../../src/domain/avatar.js';
import { ANONYMOUS } from '../../src/domain/caller.js';
import { accept } from '../../src/gateway/accept.js';
import type { Answer } from '../../src/gateway/answer.js';
import { Memory } from '../../src/gateway/intake/memory.js';
import { Limits } from '../../src/gateway/limits/limits.js';
import { Timing } from '../../src/gateway/limits/timing.js';
import { OriginGate, RECEIVER_ROOM, VIDEO_ROOM } from '../../src/gateway/origin-gate.js';
import type { CallbackSender, Counts, GatewaySettings, Ports } from '../../src/gateway/ports.js';
import { SentSubmits } from '../../src/gateway/sent.js';
import { replayAnswers } from '../../src/gateway/settle.js';
import { Bills } from '../../src/gateway/spend/bills.js';
import { VideoLinks } from '../../src/gateway/video/links.js';
import { Renewals } from '../../src/gateway/video/renewals.js';
import { Worker } from '../../src/gateway/worker.js';
import type { ModellixClient } from '../../src/modellix/client.js';
import { KeyPool } from '../../src/modellix/keyring.js';
import { NO_LIMITS, type Reply, type SubmitOutcome } from '../../src/modellix/outcome.js';
import type { Submission } from '../../src/modellix/submission.js';
import type { Spool } from '../../src/store/spool.js';
import { type Store, StoreUnavailableError } from '../../src/store/store.js';

/** What the upstream does with a submit, and what its caller hears. */
export type Reaction = 'accept' | 'accept-and-lose-the-answer' | 'lose' | 'refuse' | 'limit' | 'not-sent';

/** What becomes of a write that begins submits: its reply is lost, and whether it was done is not known. */
export type Loss = 'kept' | 'lost-undone' | 'lost-done';

const CALLER = 'caller';
const LONG_MS = 1_000_000;
export const SETTINGS: GatewaySettings = {
  submitGraceMs: 0,
  submitLeaseMs: LONG_MS,
  stepLeaseMs: LONG_MS,
  commonLeaseMs: LONG_MS,
  keepTryMs: LONG_MS,
  keepLeaseMs: LONG_MS,
  queueBounds: { maxAvatars: 1_000, maxBytes: 1_000_000 },
  unconfirmedHoldMs: 0,
  queueTimeoutMs: LONG_MS,
  taskTimeoutMs: LONG_MS,
  retentionMs: LONG_MS,
  notMadeOn: new Set([429]),
  urlsMustAnswer: false,
  webhookSecrets: [],
  prices: { std: 0.0448, pro: 0.0896 },
};

const uncounted = () => undefined;
/** Counts nothing. */
export const COUNTS: Counts = {
  submit: uncounted,
  ended: uncounted,
  delivery: uncounted,
  keeping: uncounted,
  unfamiliarStatus: uncounted,
  push: uncounted,
  callerLimit: uncounted,
  spendWarning: uncounted,
  priceMoved: uncounted,
};

/** For where nobody is to be told. */
const CALLBACKS: CallbackSender = {
  refusal: async () => null,
  send: () => Promise.reject(new Error('nobody is to be told')),
};

const KEYS = new KeyPool(['key']);
const NEVER = new Promise<never>(() => {});

interface Member {
  alive: boolean;
  readonly ports: Ports;
  readonly worker: Worker;
  passing: Promise<unknown> | null;
}

/** Looks for work when it is told to, and not by itself. */
class ToldWorker extends Worker {
  override wake(): void {}
}

export class World {
  /** The names of the requests that made a task, once for each task. */
  readonly ledger: { readonly name: string; readonly taskId: string }[] = [];
  /** What callers were told: the avatar's id by the name of their request. */
  readonly told: { readonly name: string; readonly key: string | null; readonly id: string }[] = [];
  readonly ended = new Map<string, Avatar>();
  readonly changedAfterTheEnd: string[] = [];
  readonly #store: Store;
  readonly #scheduler: Scheduler;
  readonly #reactions: Reaction[];
  readonly #losses: Loss[];
  readonly #spooled = new Map<string, Answer>();
  /** Effects under way, which no scheduler holds. */
  readonly #onTheirWay = new Set<Promise<unknown>>();

  constructor(store: Store, scheduler: Scheduler, reactions: readonly Reaction[], losses: readonly Loss[]) {
    this.#store = store;
    this.#scheduler = scheduler;
    this.#reactions = [...reactions];
    this.#losses = [...losses];
  }

  member(): Member {
    const ports = this.#ports(() => member.alive);
    const member: Member = { alive: true, ports, worker: new ToldWorker(ports), passing: null };
    return member;
  }

  /** A caller asks; what it is told is noted if it is told anything. */
  ask(member: Member, name: string, key: string | null): void {
    const request = {
      caller: { ...ANONYMOUS, name: CALLER },
      idempotencyKey: key,
      image: { kind: 'url' as const, url: 'https://example.com/face.jpg' },
      speech: { audioId: 'audio-1' },
      prompt: key ?? name,
      mode: 'std' as const,
      externalId: null,
      metadata: {},
      traceparent: null,
      startWithinMs: null,
      callbackUrl: null,
      memory: { holder: CALLER, resize: () => true, retain: () => () => undefined },
    };
    void accept(member.ports, member.worker, request).then(
      ({ avatar }) => void this.told.push({ name: key ?? name, key, id: avatar.id }),
      () => undefined, // Modellix refused: that is an answer, too.
    );
  }

  /** A worker looks for what is due, if it is not about it. */
  look(member: Member): void {
    member.passing ??= member.worker
      .pass()
      .catch(() => undefined)
      .finally(() => {
        member.passing = null;
      });
  }

  /** Faults over: what is in the spool is replayed, and a fresh worker goes on until nothing is left to do. */
  async calm(ids: () => Promise<readonly string[]>): Promise<readonly Avatar[]> {
    this.#reactions.length = 0;
    this.#losses.length = 0;
    await this.drain();
    void replayAnswers(this.member().ports).then((settled) => Promise.all(settled));
    for (;;) {
      await this.drain();
      const found = await Promise.all((await ids()).map((id) => this.#store.find(CALLER, id)));
      const avatars = found.flatMap((stored) => (stored === null ? [] : [stored.avatar]));
      if (avatars.every(({ status }) => isFinal(status))) return avatars;
      this.look(this.member());
    }
  }

  /** Lets the next thing happen that can: one that was held, or, with none held, one that is on its way. */
  async happen(): Promise<boolean> {
    if (this.#scheduler.count() > 0) await this.#scheduler.waitOne();
    else if (this.#onTheirWay.size > 0) await Promise.race(this.#onTheirWay).catch(() => undefined);
    else return false;
    await new Promise(setImmediate); // for what follows from it to be held in its turn
    return true;
  }

  /** What was asked a moment ago may not have come to where it is held. */
  async drain(): Promise<void> {
    for (let idle = 0; idle < 2; idle++) {
      while (await this.happen()) idle = 0;
      await new Promise(setImmediate);
    }
  }

  #ports(alive: () => boolean): Ports {
    const gated = async <T>(what: string, effect: () => Promise<T>): Promise<T> => {
      await this.#scheduler.schedule(Promise.resolve(), `${what}: arrives`);
      if (!alive()) return NEVER;
      const underWay = effect();
      this.#onTheirWay.add(underWay);
      const result = await underWay.finally(() => this.#onTheirWay.delete(underWay));
      await this.#scheduler.schedule(Promise.resolve(), `${what}: answered`);
      return alive() ? result : NEVER;
    };
    const silent = () => undefined;
    const unasked = () => Promise.reject(new Error('only URLs are sent'));
    const store = this.#gatedStore(gated);
    return {
      store,
      keyring: KEYS,
      limits: new Limits(store, { callsPerMinute: 1e9, tasks: 1e6 }, () => 0, ['/submit']),
      timing: new Timing(store, { pollMinMs: 0, pollMaxMs: 0, longPollMs: 0, netMs: null }, () => 0),
      inspector: { image: unasked, sound: unasked },
      urls: null,
      videos: null,
      callbacks: CALLBACKS,
      callers: null,
      receiverOrigins: new OriginGate(() => 0, new AbortController().signal, RECEIVER_ROOM),
      videoOrigins: new OriginGate(() => 0, new AbortController().signal, VIDEO_ROOM),
      renewals: new Renewals(),
      bills: new Bills(),
      sent: new SentSubmits(),
      pushTokens: null,
      render: () => ({}),
      renderTask: () => ({}),
      videoLinks: new VideoLinks(store),
      memory: new Memory(Number.POSITIVE_INFINITY),
      watched: new Set(),
      spool: this.#spool(),
      modellix: this.#upstream(gated),
      settings: SETTINGS,
      log: { info: silent, warn: silent, error: silent },
      counts: COUNTS,
      random: () => 0,
      stopping: new AbortController().signal,
    };
  }

  /**
   * Leases last no time at all: whoever looks finds them lapsed. What is learned of limits and times is each worker's
   * own, so that a fresh one begins with nothing.
   */
  #gatedStore(gated: <T>(what: string, effect: () => Promise<T>) => Promise<T>): Store {
    const store = this.#store;
    const noDocument = async () => ({ value: null, revision: 0, now: Date.now() });
    return {
      admit: (avatar, submission, { begin, ...admission }) =>
        gated('admit', () =>
          this.#orLost(begin !== undefined, async () => {
            const lapsing = begin === undefined ? {} : { begin: { ...begin, leaseMs: 0 } };
            return store.admit(avatar, submission, { ...admission, ...lapsing, doubtMs: 0 });
          }),
        ),
      begin: (begin, ...most) =>
        gated('begin', () => this.#orLost(true, () => store.begin({ ...begin, leaseMs: 0 }, ...most))),
      find: (caller, id) => gated('find', () => store.find(caller, id)),
      submission: (id) => gated('submission', () => store.submission(id)),
      list: (caller, query) => gated('list', () => store.list(caller, query)),
      use: (scope, from, to) => gated('use', () => store.use(scope, from, to)),
      callers: () => gated('callers', () => store.callers()),
      feed: (caller, after, limit) => gated('feed', () => store.feed(caller, after, limit)),
      claim: (claim) => gated('claim', () => store.claim({ ...claim, leaseMs: 0 })),
      save: (avatar, version, save) => {
        const waits = avatar.step === 'expire' || avatar.status === 'queued';
        const dueInMs = waits ? LONG_MS : 0;
        return gated('save', async () => {
          const saved = await store.save(avatar, version, { ...save, dueInMs });
          if (saved.saved) this.#note(avatar);
          return saved;
        });
      },
      remove: (id, version) => gated('remove', () => store.remove(id, version)),
      outlook: (keyIds) => gated('outlook', () => store.outlook(keyIds)),
      keyIds: () => gated('keyIds', () => store.keyIds()),
      takeCall: (keyId, calls) => gated('takeCall', () => store.takeCall(keyId, calls)),
      document: noDocument,
      // What follows from it is as of the document that the store has: none.
      swap: async (_name, _revision, value) => ({ ...(await noDocument()), value, swapped: true }),
      count: null,
      onChange: () => () => undefined,
      ping: () => store.ping(),
      health: () => store.health(),
      close: () => store.close(),
    };
  }

  async #orLost<T>(begins: boolean, write: () => Promise<T>): Promise<T> {
    const loss = (begins && this.#losses.shift()) || 'kept';
    if (loss === 'lost-undone') throw new StoreUnavailableError('lost');
    const written = await write();
    if (loss === 'lost-done') throw new StoreUnavailableError('lost');
    return written;
  }

  #note(avatar: Avatar): void {
    const before = this.ended.get(avatar.id);
    if (before !== undefined && before.status !== 'unconfirmed') this.changedAfterTheEnd.push(avatar.id);
    if (isFinal(avatar.status)) this.ended.set(avatar.id, avatar);
  }

  #upstream(gated: <T>(what: string, effect: () => Promise<T>) => Promise<T>): ModellixClient {
    return {
      submit: (_key, submission) => gated('submit', async () => reply(this.#react(submission))),
      query: () =>
        gated('query', async () =>
          reply({
            kind: 'success' as const,
            resource: {
              url: 'https://example.com/v.mp4',
              format: null,
              width: null,
              height: null,
              bytes: null,
              durationSeconds: null,
            },
            expiresAt: null,
            billed: null,
          }),
        ),
      probe: () => gated('probe', async () => 'ok' as const),
      balance: () => NEVER,
      video: () => NEVER,
      close: async () => undefined,
    };
  }

  #react({ prompt }: Submission): SubmitOutcome {
    const name = String(prompt);
    const reaction = this.#reactions.shift() ?? 'accept';
    const refused = (status: number) => ({
      kind: 'refused' as const,
      status,
      message: 'no',
      reason: null,
      limit: status === 429 ? ('calls' as const) : null,
      retryAfterMs: 0,
    });
    const made = () => {
      const taskId = `task-${this.ledger.length}`;
      this.ledger.push({ name, taskId });
      return taskId;
    };
    switch (reaction) {
      case 'accept':
        return { kind: 'accepted', taskId: made() };
      case 'accept-and-lose-the-answer':
        made();
        return { kind: 'unknown', reason: 'reset', status: null };
      case 'lose':
        return { kind: 'unknown', reason: 'reset', status: null };
      case 'refuse':
        return refused(400);
      case 'limit':
        return refused(429);
      case 'not-sent':
        return { kind: 'not-sent', reason: 'refused' };
    }
  }

  #spool(): Spool<Answer> {
    const spooled = this.#spooled;
    return {
      put: async (name, answer) => void spooled.set(name, answer),
      remove: async (name) => void spooled.delete(name),
      all: async () => [...spooled.values()],
    };
  }
}

function reply<T>(outcome: T): Reply<T> {
  return { outcome, limits: NO_LIMITS };
}
