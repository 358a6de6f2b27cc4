/** What callers asked and were told, what was seen of each avatar, and what was paid for. */

import type { AvatarView } from '../../src/http/schemas/avatar.js';
import type { SubmitEntry } from '../simulator/simulator.js';

export const INVARIANTS = {
  I1: 'submits in the ledger per avatar <= 1',
  I2: 'final states never change',
  I3: 'no 202 is lost: each reaches a final state and is readable',
  I4: 'every task in the ledger is known to an avatar, or its avatar is unconfirmed',
  I5: 'a replay never makes a second avatar',
  I6: 'a refused request is in no ledger',
  other: 'nothing but what the API promises is answered, and nothing crashes or is left over',
} as const;
export type Invariant = keyof typeof INVARIANTS;

export interface Violation {
  readonly invariant: Invariant;
  readonly detail: string;
}

/** One request as its caller means it, however often it is sent. */
export interface Ask {
  /** In its prompt, and in nobody else's. */
  readonly token: string;
  readonly key: string | null;
  /** `invalid` has to be refused for its body; `other-body` for its key, which stands for another request. */
  readonly kind: 'request' | 'invalid' | 'other-body';
  readonly body: string;
  readonly ids: Set<string>;
  /** The 202s that did not call themselves a replay. */
  firsts: number;
  /** The problem it was refused with for good. */
  refused: string | null;
  /** How often it ended in an error, or in nothing. */
  failures: number;
  /** It was told that nothing was made. */
  nothingMade: boolean;
  readonly sentAt: number;
  /** When it was refused for good. */
  refusedAt: number;
}

/** One avatar as it was seen. */
export interface Sighting {
  readonly id: string;
  readonly token: string;
  /** It is not in the store any more, which came back from a time before it. */
  lost: boolean;
  taskId: string | null;
  looks: number;
  final: {
    readonly status: AvatarView['status'];
    readonly completedAt: string;
    readonly receivedAt: number;
  } | null;
}

/** When a request was sent and its answer received: what it saw was so at some time between. */
export interface Look {
  readonly sentAt: number;
  readonly receivedAt: number;
}

export class Book {
  readonly asks = new Map<string, Ask>();
  readonly sightings = new Map<string, Sighting>();
  readonly ledger = new Map<string, SubmitEntry[]>();
  readonly violations: Violation[] = [];
  /** How often each thing was checked. */
  readonly checks: Record<Invariant, number> = { I1: 0, I2: 0, I3: 0, I4: 0, I5: 0, I6: 0, other: 0 };
  leftUnconfirmed = 0;
  /** How often a check was left out because the store came back older than what it is about. */
  excused = 0;
  readonly #rollbacks: { readonly from: number; to: number }[] = [];
  readonly #onViolation: (violation: Violation) => void;

  constructor(onViolation: (violation: Violation) => void) {
    this.#onViolation = onViolation;
  }

  ask(ask: Pick<Ask, 'token' | 'key' | 'kind' | 'body'>): Ask {
    const fresh: Ask = {
      ...ask,
      ids: new Set(),
      firsts: 0,
      refused: null,
      failures: 0,
      nothingMade: false,
      sentAt: performance.now(),
      refusedAt: Number.POSITIVE_INFINITY,
    };
    this.asks.set(ask.token, fresh);
    return fresh;
  }

  accepted(ask: Ask, avatar: AvatarView, replayed: boolean, look: Look): void {
    ask.ids.add(avatar.id);
    if (!replayed) ask.firsts += 1;
    const who = `${ask.token} (key ${ask.key})`;
    const check = (holds: boolean, detail: () => string) => this.checkOf(ask, 'I5', holds, detail);
    check(ask.ids.size === 1, () => `${who} was given ${[...ask.ids].join(' and ')}`);
    check(ask.firsts <= 1, () => `${who} was made ${ask.firsts} times: ${avatar.id}`);
    check(ask.kind !== 'other-body', () => `${who} is another body, and was given ${avatar.id}`);
    this.check('I6', ask.kind !== 'invalid', () => `${who} is invalid, and was given ${avatar.id}`);
    check(avatar.prompt === ask.token, () => `${who} was given ${avatar.id} of ${avatar.prompt}`);
    this.seen(avatar, look);
  }

  refused(ask: Ask, slug: string): void {
    const known = slug === 'idempotency-key-reused' && ask.kind === 'request';
    this.checkOf(ask, 'I5', !known, () => `${ask.token} (key ${ask.key}) was told that its key is another's`);
    ask.refused = slug;
    ask.refusedAt = performance.now();
    this.#refusedIsUnpaid(ask);
  }

  /** A task that was made. */
  paid(entry: SubmitEntry): void {
    const token = entry.prompt ?? '';
    const entries = [...(this.ledger.get(token) ?? []), entry];
    this.ledger.set(token, entries);
    const ask = this.asks.get(token);
    this.checkOf(ask, 'I1', entries.length <= 1, () => {
      return `${token} was paid for ${entries.length} times: ${entries.map(({ taskId }) => taskId).join(', ')}`;
    });
    this.check('I4', ask !== undefined, () => `${entry.taskId} is for "${token}", which nobody asked for`);
    if (ask !== undefined) this.#refusedIsUnpaid(ask);
  }

  seen(avatar: AvatarView, { sentAt, receivedAt }: Look): void {
    const { id, status, completed_at: completedAt, task_id: taskId } = avatar;
    const token = avatar.prompt ?? '';
    const fresh = { id, token, lost: false, taskId: null, looks: 0, final: null };
    const sighting: Sighting = this.sightings.get(id) ?? fresh;
    this.sightings.set(id, sighting);
    sighting.looks += 1;
    const had = sighting.taskId;
    const ask = this.asks.get(token);
    this.checkOf(
      ask,
      'I2',
      had === null || taskId === null || had === taskId,
      () => `${id} had ${had}, has ${taskId}`,
    );
    sighting.taskId = taskId ?? had;

    const before = sighting.final;
    const final: Sighting['final'] = completedAt === null ? null : { status, completedAt, receivedAt };
    if (before === null) {
      sighting.final = final;
      return;
    }
    const same = final !== null && final.status === before.status && final.completedAt === before.completedAt;
    const later = sentAt >= before.receivedAt;
    const goesOn = before.status === 'unconfirmed' && status !== 'queued' && status !== 'submitting';
    // The two looks may have been at once, and this one the earlier; `unconfirmed` may have come in between.
    const fine = same || goesOn || (!later && (final === null || status === 'unconfirmed'));
    this.checkOf(ask, 'I2', fine, () => {
      return `${id} was ${before.status} (${before.completedAt}), and is ${status} (${completedAt})`;
    });
    if (!same && goesOn && later) this.leftUnconfirmed += 1;
    // What an older store says holds from then on.
    if (!same && later) sighting.final = final;
  }

  /** An avatar that somebody was told of cannot be found. Says whether that may be. */
  missing(id: string): boolean {
    const sighting = this.sightings.get(id);
    const ask = this.asks.get(sighting?.token ?? '');
    this.checkOf(ask, 'I3', false, () => `${id} was answered 202 and is not found`);
    if (sighting !== undefined) sighting.lost = this.mayBeLost(ask);
    return sighting?.lost ?? false;
  }

  /** The store goes back to how it was some time ago: from now on, until what is returned is called. */
  rolledBack(from: number): () => void {
    const rollback = { from, to: Number.POSITIVE_INFINITY };
    this.#rollbacks.push(rollback);
    return () => {
      rollback.to = performance.now();
    };
  }

  /** Whether what became of a request, or of one with its key, may have been forgotten with a store that came back older. */
  mayBeLost(ask: Ask | undefined): boolean {
    if (this.#rollbacks.length === 0) return false;
    if (ask === undefined) return true;
    const { key } = ask;
    const all = key === null ? [ask] : [...this.asks.values()].filter((each) => each.key === key);
    return this.#rollbacks.some(({ from, to }) =>
      all.some((each) => each.sentAt < to && !this.#wasOver(each, from)),
    );
  }

  /** Whether all had come to an end by then that was made for a request. */
  #wasOver({ ids, refusedAt }: Ask, at: number): boolean {
    const finals = [...ids].map((id) => this.sightings.get(id)?.final);
    const isOver = (final: Sighting['final'] | undefined) =>
      final !== null && final !== undefined && final.status !== 'unconfirmed' && final.receivedAt < at;
    return ids.size === 0 ? refusedAt < at : finals.every(isOver);
  }

  /** As {@link check}, unless what is checked may have been lost with a store that came back older. */
  checkOf(ask: Ask | undefined, invariant: Invariant, holds: boolean, detail: () => string): void {
    if (holds || !this.mayBeLost(ask)) this.check(invariant, holds, detail);
    else this.excused += 1;
  }

  check(invariant: Invariant, holds: boolean, detail: () => string): void {
    this.checks[invariant] += 1;
    if (holds) return;
    const violation = { invariant, detail: detail() };
    this.violations.push(violation);
    this.#onViolation(violation);
  }

  #refusedIsUnpaid(ask: Ask): void {
    const { token, refused, kind } = ask;
    if (refused === null && kind === 'request') return;
    const tasks = this.ledger.get(token) ?? [];
    const detail = () =>
      `${token} (${refused ?? kind}) was refused, and is in the ledger: ${tasks[0]?.taskId}`;
    // Who is refused for its body is refused whatever the store remembers.
    if (kind === 'invalid') this.check('I6', tasks.length === 0, detail);
    else this.checkOf(ask, 'I6', tasks.length === 0, detail);
  }
}
