/** What was seen of each operation, and what is printed of it. */

import type { ApiDocument } from './document.js';

/** In place of a status: the fuzzer hung up on an answer that was to come later. */
export const HUNG_UP = 'hung up';

export class Tally {
  readonly #seen = new Map<string, Map<string, number>>();

  constructor({ operations }: ApiDocument) {
    for (const { name } of operations) this.#seen.set(name, new Map());
  }

  count(operation: string, outcome: number | string): void {
    const outcomes = this.#seen.get(operation) ?? new Map<string, number>();
    this.#seen.set(operation, outcomes);
    outcomes.set(String(outcome), (outcomes.get(String(outcome)) ?? 0) + 1);
  }

  requestsOf(operation: string): number {
    return [...(this.#seen.get(operation)?.values() ?? [])].reduce((sum, count) => sum + count, 0);
  }

  /** Of those that were answered, how many with a status below 400. */
  takenOf(operation: string): number {
    return [...(this.#seen.get(operation) ?? [])]
      .filter(([outcome]) => Number(outcome) < 400)
      .reduce((sum, [, count]) => sum + count, 0);
  }

  /** A line for each operation: requests, each status with its count, and the documented ones that never came. */
  table({ operations }: ApiDocument): string {
    const names = [...this.#seen.keys()];
    const width = Math.max(...names.map((name) => name.length));
    return names
      .map((name) => {
        const outcomes = [...(this.#seen.get(name) ?? [])].sort(([a], [b]) => a.localeCompare(b));
        const documented = Object.keys(operations.find((each) => each.name === name)?.responses ?? {});
        const never = documented.filter((status) => !outcomes.some(([outcome]) => outcome === status));
        const seen = outcomes.map(([outcome, count]) => `${outcome}: ${count}`).join(', ');
        const count = String(this.requestsOf(name)).padStart(6);
        return `${name.padEnd(width)} ${count}  ${seen}${never.length === 0 ? '' : `  (never: ${never.join(' ')})`}`;
      })
      .join('\n');
  }
}
