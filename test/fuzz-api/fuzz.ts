/** Makes requests for every operation of the document, many at once, and judges each answer by it. */

import { Agent } from 'node:http';
import { Chance } from '../storm/random.js';
import type { ApiDocument, Operation } from './document.js';
import { faultsOf } from './judge.js';
import { PAGES } from './pages.js';
import { type ApiRequest, Requests } from './requests.js';
import { type Answer, send } from './send.js';
import { State } from './state.js';
import { HUNG_UP, Tally } from './tally.js';
import { type Recipes, Values } from './values.js';

export interface FuzzOptions {
  readonly url: string;
  readonly document: ApiDocument;
  readonly recipes: Recipes;
  readonly requests: number;
  /** How many are under way at once. */
  readonly concurrency: number;
  readonly seed: number;
  /** Sent as a bearer token with every request, but for those that are to lack it. */
  readonly key: string;
  readonly onFinding?: (finding: Finding) => void;
}

export interface Finding {
  /** Which of the requests of the seed it was. */
  readonly number: number;
  readonly request: ApiRequest;
  /** `null` where none came. */
  readonly answer: Answer | null;
  readonly faults: readonly string[];
}

export interface FuzzResult {
  readonly tally: Tally;
  readonly findings: readonly Finding[];
}

/** So many requests at the beginning make avatars, for those that follow. */
const BEGINNING = 40;

export async function fuzzApi(options: FuzzOptions): Promise<FuzzResult> {
  const { document, concurrency, requests: count } = options;
  const url = new URL(options.url);
  const chances = new Chance(options.seed);
  const state = new State();
  const requests = new Requests(document, new Values(document, options.recipes), state, options.key);
  const operations = [...document.operations, ...PAGES];
  const makers = operations.filter(({ path, bodies }) => bodies.size > 0 && !path.includes('{'));
  const tally = new Tally(document);
  const findings: Finding[] = [];
  const agent = new Agent({ keepAlive: true, maxSockets: concurrency });

  const one = async (number: number): Promise<void> => {
    const chance = chances.stream(String(number));
    const begins = number < BEGINNING;
    const operation = chance.pick<Operation>(begins ? makers : operations);
    const request = requests.make(chance, operation, begins);
    const found = (answer: Answer | null, faults: readonly string[]): void => {
      const finding = { number, request, answer, faults };
      findings.push(finding);
      options.onFinding?.(finding);
    };
    try {
      const answer = await send(url, request, agent);
      tally.count(operation.name, answer?.status ?? HUNG_UP);
      if (answer === null) return;
      const faults = faultsOf(document, request, answer);
      if (faults.length > 0) found(answer, faults);
      else if (answer.isWhole || isStream(answer)) state.learn(pathOf(request), answer);
    } catch (error) {
      tally.count(operation.name, 'no answer');
      found(null, [String(error)]);
    }
  };

  let next = 0;
  const lanes = Array.from({ length: concurrency }, async () => {
    while (next < count) await one(next++);
  });
  await Promise.all(lanes);
  agent.destroy();
  return { tally, findings };
}

function pathOf({ target }: ApiRequest): string {
  return target.replace(/\?.*$/s, '');
}

/** One is never read to its end. */
function isStream({ headers }: Answer): boolean {
  return headers['content-type']?.startsWith('text/event-stream') === true;
}
