/** Who asks for avatars, as clients do: with a key and trying again, or without one and only once. */

import { setMaxListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { AvatarView } from '../../src/http/schemas/avatar.js';
import type { Ask, Book } from './book.js';
import type { Member } from './member.js';
import type { Chance } from './random.js';
import { badBody, goodBody } from './requests.js';
import { type Reply, send } from './send.js';
import { Tally } from './tally.js';

const TURNS = {
  keyed: 50,
  bare: 20,
  burst: 8,
  invalid: 4,
  replay: 12,
  'other body': 6,
};

/** Problems that are the last word on a request, with a key or without. */
const FINAL = [
  'validation',
  'invalid-media',
  'url-not-allowed',
  'refused-by-modellix',
  'account-problem',
  'content-refused',
  'arrears',
  'never-sent',
  'idempotency-key-reused',
];
/** Problems that ask for another try. */
const AGAIN = ['store-unavailable', 'not-ready'];
const PATIENT_MS = 4_000;

export interface CallersOptions {
  readonly count: number;
  readonly chance: Chance;
  readonly seed: number;
  readonly book: Book;
  readonly members: readonly Member[];
  /** Between two turns of a caller, from a third of it to the double. */
  readonly thinkMs: number;
  /** No new turns once it is aborted; what was begun is brought to its end. */
  readonly closing: AbortSignal;
  /** Everything is dropped. */
  readonly stop: AbortSignal;
}

export class Callers {
  readonly turns = new Tally();
  /** Answers by status and problem. */
  readonly answers = new Tally();
  readonly #options: CallersOptions;
  /** Keys that an answer was had for. */
  readonly #settled: Ask[] = [];
  #count = 0;

  constructor(options: CallersOptions) {
    this.#options = options;
  }

  /** Resolves when the last caller has gone home. */
  async run(): Promise<void> {
    const { count, chance } = this.#options;
    await Promise.all(Array.from({ length: count }, (_, at) => this.#caller(chance.stream(`caller ${at}`))));
  }

  async #caller(chance: Chance): Promise<void> {
    const { closing, stop, thinkMs } = this.#options;
    const home = AbortSignal.any([closing, stop]);
    setMaxListeners(0, home);
    while (!closing.aborted && !stop.aborted) {
      await this.#turn(chance);
      await nap(chance.between(thinkMs / 3, thinkMs * 2), home);
    }
  }

  async #turn(chance: Chance): Promise<void> {
    const wanted = chance.weighted(TURNS);
    const old = wanted === 'replay' || wanted === 'other body' ? this.#settled : [];
    const turn = old.length === 0 && (wanted === 'replay' || wanted === 'other body') ? 'keyed' : wanted;
    this.turns.add(turn);
    const token = this.#token();
    switch (turn) {
      case 'keyed':
        return this.#settle(this.#ask(token, keyOf(token), 'request', goodBody(token, chance)), chance);
      case 'bare':
        return this.#settle(this.#ask(token, null, 'request', goodBody(token, chance)), chance);
      case 'invalid': {
        const key = chance.is(0.5) ? keyOf(token) : null;
        return this.#settle(this.#ask(token, key, 'invalid', badBody(token, chance)), chance);
      }
      case 'burst': {
        const ask = this.#ask(token, keyOf(token), 'request', goodBody(token, chance));
        const many = Array.from({ length: chance.between(2, 6) }, (_, at) => chance.stream(`${token} ${at}`));
        await Promise.all(many.map((each) => this.#settle(ask, each)));
        return;
      }
      case 'replay':
        return this.#settle(chance.pick(old), chance);
      case 'other body': {
        const { key } = chance.pick(old);
        return this.#settle(this.#ask(token, key, 'other-body', goodBody(token, chance)), chance);
      }
    }
  }

  #token(): string {
    this.#count += 1;
    return `storm ${this.#options.seed} ${this.#count}`;
  }

  #ask(token: string, key: string | null, kind: Ask['kind'], body: string): Ask {
    return this.#options.book.ask({ token, key, kind, body });
  }

  /** With a key until there is an answer; without one, once. */
  async #settle(ask: Ask, chance: Chance): Promise<void> {
    const { stop } = this.#options;
    while (!stop.aborted) {
      if (await this.#attempt(ask, chance)) {
        if (ask.key !== null && ask.kind === 'request') this.#settled.push(ask);
        return;
      }
      ask.failures += 1;
      if (ask.key === null) return;
      await nap(chance.between(100, 900), stop);
    }
  }

  /** Whether there was a last word. */
  async #attempt(ask: Ask, chance: Chance): Promise<boolean> {
    const { book, members } = this.#options;
    const key: Record<string, string> = ask.key === null ? {} : { 'idempotency-key': ask.key };
    const sentAt = performance.now();
    const reply = await send(`${chance.pick(members).url}/avatars`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...key },
      body: ask.body,
      timeoutMs: chance.is(0.06) ? chance.between(20, 600) : PATIENT_MS,
    }).catch(() => null);
    if (reply === null) {
      this.answers.add('none');
      return false;
    }
    const slug = slugOf(reply);
    this.answers.add(`${reply.status} ${slug}`.trim());
    if (reply.status === 202) {
      const replayed = reply.headers['idempotent-replayed'] === 'true';
      const look = { sentAt, receivedAt: performance.now() };
      book.accepted(ask, reply.body as AvatarView, replayed, look);
      return true;
    }
    if (FINAL.includes(slug)) {
      book.refused(ask, slug);
      return true;
    }
    if (slug === 'store-unavailable') ask.nothingMade = true;
    const again = reply.status === 429 || AGAIN.includes(slug);
    book.check('other', again, () => `${ask.token} (${ask.kind}) was answered ${reply.status} ${slug}`);
    return false;
  }
}

function slugOf({ status, body }: Reply): string {
  if (status < 400) return '';
  const { type } = (body ?? {}) as { type?: unknown };
  return typeof type === 'string' ? (type.split(':').at(-1) ?? '') : 'without a problem';
}

async function nap(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => undefined);
}

/** A key has no spaces. */
function keyOf(token: string): string {
  return `key-${token.replaceAll(' ', '-')}`;
}
