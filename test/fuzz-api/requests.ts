/** One request for an operation: as the document asks, or with something wrong. */

import type { Chance } from '../storm/random.js';
import { makeBody } from './bodies.js';
import type { ApiDocument, Operation, Parameter } from './document.js';
import { badHeaders, badPath, badQuery, ODD_HEADERS } from './flaws.js';
import type { State } from './state.js';
import type { Values } from './values.js';

/** Where something is wrong, which decides on what may be answered beyond what is documented. */
export type Flaw = 'method' | 'path' | 'query' | 'headers' | 'long headers' | 'body' | 'needless body';

export interface ApiRequest {
  readonly operation: Operation;
  readonly method: string;
  /** Path and query, as they are sent. */
  readonly target: string;
  readonly headers: Readonly<Record<string, string | string[]>>;
  readonly body: Buffer | null;
  readonly flaws: ReadonlySet<Flaw>;
  /** It is certain from the schemas alone that this is to be refused. */
  readonly isRefused: boolean;
  /** It asks to be answered later. */
  readonly waits: boolean;
}

/** Methods that no operation has. */
const METHODS = [
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'PATCH',
  'DELETE',
  'OPTIONS',
  'TRACE',
  'PROPFIND',
  'SEARCH',
  'LOCK',
];
const BODILESS = new Set(['GET', 'HEAD']);

export class Requests {
  readonly #document: ApiDocument;
  readonly #values: Values;
  readonly #state: State;
  readonly #key: string;

  /** @param key what callers show that they may */
  constructor(document: ApiDocument, values: Values, state: State, key: string) {
    this.#document = document;
    this.#values = values;
    this.#state = state;
    this.#key = key;
  }

  /** @param flawless as the document asks, whatever chance says */
  make(chance: Chance, operation: Operation, flawless: boolean): ApiRequest {
    const flaws = new Set<Flaw>(flawless || chance.is(0.35) ? [] : [pickFlaw(chance, operation)]);
    if (flaws.size > 0 && chance.is(0.2)) flaws.add(pickFlaw(chance, operation));
    const method = this.#methodFor(chance, operation, flaws);
    const headers: Record<string, string | string[]> = { authorization: `Bearer ${this.#key}` };

    const given = operation.parameters.filter((each) => each.required === true || chance.is(0.4));
    const path = this.#pathOf(chance, operation);
    const good = new Map(given.map((each) => [each, this.#valueOf(chance, each, path)]));
    for (const [{ in: place, name }, value] of good) if (place === 'header') headers[name] = value;
    if (chance.is(0.1)) Object.assign(headers, chance.pick(ODD_HEADERS));
    if (flaws.has('headers')) Object.assign(headers, badHeaders(chance, operation));
    if (flaws.has('long headers')) headers['x-long'] = 'a'.repeat(chance.pick([16_400, 65_000]));

    let isRefused = false;
    let body: Buffer | null = null;
    if (operation.bodies.size > 0) {
      const type = chance.pick([...operation.bodies.keys()]);
      const schema = operation.bodies.get(type) ?? {};
      const [document, values] = [this.#document, this.#values];
      const made = makeBody({ chance, document, values, schema, isFlawed: flaws.has('body') }, type);
      body = made.bytes;
      headers['content-type'] ??= made.type;
      isRefused = made.isGood === false;
    } else if (flaws.has('needless body')) {
      body = Buffer.from(chance.pick(['{}', '{', 'a=b', 'x'.repeat(100_000)]));
      headers['content-type'] ??= chance.pick(['application/json', 'text/plain']);
    }
    const query = this.#queryOf(chance, good, flaws.has('query'));
    const target = (flaws.has('path') ? badPath(chance, operation.path, path) : path) + query;
    const said = `${target}\n${String(headers.Prefer ?? headers.prefer ?? '')}`;
    return {
      operation,
      method,
      target,
      headers,
      body,
      // A link that nobody signed.
      flaws: /[?&]signature=/.test(target) ? new Set([...flaws, 'query' as const]) : flaws,
      isRefused,
      waits: /wait/i.test(said) || answersWithEvents(operation),
    };
  }

  #methodFor(chance: Chance, operation: Operation, flaws: ReadonlySet<Flaw>): string {
    const known = [operation.method, ...this.#document.methodsOf(operation.path)];
    if (!flaws.has('method'))
      return operation.method === 'GET' && chance.is(0.05) ? 'HEAD' : operation.method;
    const others = known.includes('GET') ? [...known, 'HEAD'] : known;
    return chance.pick(METHODS.filter((method) => !others.includes(method)));
  }

  #valueOf(chance: Chance, { in: place, name, schema }: Parameter, path: string): string {
    switch (`${place} ${name.toLowerCase()}`) {
      case 'header prefer':
        return chance.pick([
          'wait=0',
          'wait=1',
          'wait=60',
          'respond-async',
          'respond-async, wait=1',
          'handling=lenient',
        ]);
      case 'header idempotency-key':
        return chance
          .pick(['', '"'])
          .padEnd(12, String(chance.between(0, 1e12)))
          .replace(/^".*$/, (key) => `${key}"`);
      case 'header range':
        return chance.pick(['bytes=0-99', 'bytes=10-', 'bytes=-5', 'bytes=0-0']);
      case 'header if-none-match':
      case 'header if-range':
        return this.#state.etag(chance, path);
      case 'header last-event-id':
        return this.#state.eventId(chance, path);
      case 'query cursor':
        return this.#state.nextPage(chance) ?? '';
      // The last day is not before the first, which no schema says.
      case 'query from':
        return `2026-0${chance.between(1, 6)}-10`;
      case 'query to':
        return `2026-0${chance.between(7, 9)}-10`;
      case 'query wait':
        return chance.pick(['true', 'false']);
      default:
        return String(this.#values.good(chance, schema, name));
    }
  }

  #pathOf(chance: Chance, { path }: Operation): string {
    return path.replace(/\{[^}]+\}/g, () => {
      const unknown = `av_${chance.between(1e12, 9e12).toString(16).padStart(32, '0')}`;
      return chance.is(0.08) ? unknown : this.#state.id(chance);
    });
  }

  #queryOf(chance: Chance, good: ReadonlyMap<Parameter, string>, isFlawed: boolean): string {
    const pairs = [...good].filter(([{ in: place }]) => place === 'query');
    const [, nextPage] = pairs.find(([{ name }]) => name === 'cursor') ?? [];
    // A cursor goes with the filters that it was given for.
    const query = nextPage
      ? nextPage.slice(1)
      : pairs
          .filter(([{ name }]) => name !== 'cursor')
          .map(([{ name }, value]) => `${name}=${encodeURIComponent(value)}`)
          .join('&');
    if (isFlawed) return `?${badQuery(chance, query)}`;
    return query === '' ? '' : `?${query}`;
  }
}

function pickFlaw(chance: Chance, { bodies, method }: Operation): Flaw {
  return chance.weighted<Flaw>({
    method: 1,
    path: 2,
    query: 2,
    headers: 3,
    'long headers': 0.3,
    body: bodies.size > 0 ? 10 : 0,
    'needless body': bodies.size > 0 || BODILESS.has(method) ? 0 : 1,
  });
}

function answersWithEvents({ responses }: Operation): boolean {
  return responses['200']?.content?.['text/event-stream'] !== undefined;
}
