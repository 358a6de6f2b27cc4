/** The settings one by one, as `settings.ts` states them. */

import { Environment } from './settings.js';

/** What the table says about a variable. */
interface Entry {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly $comment?: string;
}

const ENTRIES: Readonly<Record<string, unknown>> = Environment.properties;

/** Every setting, for `--help` and the documentation. */
export const SETTINGS = Object.keys(ENTRIES).map((name) => {
  const { description = '', default: fallback } = ENTRIES[name] as Entry;
  return { name, description, fallback };
});

/** Whether a variable holds a whole number. Decimal digits are all that is taken for one: not `1e3`, not `Infinity`. */
export function isWholeNumber(name: string): boolean {
  return (ENTRIES[name] as Entry | undefined)?.type === 'integer';
}

/** What a variable must be, in words, where its pattern says it. */
export function ruleOf(name: string): string {
  return (ENTRIES[name] as Entry | undefined)?.$comment ?? 'is not valid';
}
