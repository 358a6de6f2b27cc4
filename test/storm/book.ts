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
}

/** One avatar as it was seen. */
export interface Sighting {
  readonly id: string;
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
    };
    this.asks.set(ask.token, fresh);
    return fresh;
  }

  accepted(ask: Ask, avatar: AvatarView, replayed: boolean, look: Look): void {
    ask.ids.add(avatar.id);
    if (!replayed) ask.firsts += 1;
    const who = `${ask.token} (key ${ask.key})`;
    this.check('I5', ask.ids.size === 1, () => `${who} was given ${[...ask.ids].join(' and ')}`);
    this.check('I5', ask.firsts <= 1, () => `${who} was made ${ask.firsts} times: ${avatar.id}`);
    this.check('I5', ask.kind !== 'other-body', () => `${who} is another body, and was given ${avatar.id}`);
    this.check('I6', ask.kind !== 'invalid', () => `${who} is invalid, and was given ${avatar.id}`);
    this.check('I5', avatar.prompt === ask.token, () => `${who} was given ${avatar.id} of ${avatar.prompt}`);
    this.seen(avatar, look);
  }

  refused(ask: Ask, slug: string): void {
    const known = slug === 'idempotency-key-reused' && ask.kind === 'request';
    this.check('I5', !known, () => `${ask.token} (key ${ask.key}) was told that its key is another's`);
    ask.refused = slug;
    this.#refusedIsUnpaid(ask);
  }

  /** A task that was made. */
  paid(entry: SubmitEntry): void {
    const token = entry.prompt ?? '';
    const entries = [...(this.ledger.get(token) ?? []), entry];
    this.ledger.set(token, entries);
    this.check('I1', entries.length <= 1, () => {
      return `${token} was paid for ${entries.length} times: ${entries.map(({ taskId }) => taskId).join(', ')}`;
    });
    const ask = this.asks.get(token);
    this.check('I4', ask !== undefined, () => `${entry.taskId} is for "${token}", which nobody asked for`);
    if (ask !== undefined) this.#refusedIsUnpaid(ask);
  }

  seen(avatar: AvatarView, { sentAt, receivedAt }: Look): void {
    const { id, status, completed_at: completedAt, task_id: taskId } = avatar;
    const sighting = this.sightings.get(id) ?? { id, taskId: null, looks: 0, final: null };
    this.sightings.set(id, sighting);
    sighting.looks += 1;
    const had = sighting.taskId;
    this.check(
      'I2',
      had === null || taskId === null || had === taskId,
      () => `${id} had ${had}, has ${taskId}`,
    );
    sighting.taskId = taskId ?? had;

    const before = sighting.final;
    const final = completedAt === null ? null : { status, completedAt, receivedAt };
    if (before === null) {
      sighting.final = final;
      return;
    }
    const same = final !== null && final.status === before.status && final.completedAt === before.completedAt;
    const later = sentAt >= before.receivedAt;
    const goesOn = before.status === 'unconfirmed' && status !== 'queued' && status !== 'submitting';
    // The two looks may have been at once, and this one the earlier; `unconfirmed` may have come in between.
    const fine = same || goesOn || (!later && (final === null || status === 'unconfirmed'));
    this.check('I2', fine, () => {
      return `${id} was ${before.status} (${before.completedAt}), and is ${status} (${completedAt})`;
    });
    if (!same && goesOn && later) {
      this.leftUnconfirmed += 1;
      sighting.final = final;
    }
  }

  /** An avatar that somebody was told of cannot be found. */
  missing(id: string): void {
    this.check('I3', false, () => `${id} was answered 202 and is not found`);
  }

  check(invariant: Invariant, holds: boolean, detail: () => string): void {
    this.checks[invariant] += 1;
    if (holds) return;
    const violation = { invariant, detail: detail() };
    this.violations.push(violation);
    this.#onViolation(violation);
  }

  #refusedIsUnpaid({ token, refused, kind }: Ask): void {
    if (refused === null && kind === 'request') return;
    const tasks = this.ledger.get(token) ?? [];
    this.check('I6', tasks.length === 0, () => {
      return `${token} (${refused ?? kind}) was refused, and is in the ledger: ${tasks[0]?.taskId}`;
    });
  }
}
