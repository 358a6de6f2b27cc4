/** The settings one by one, as `settings.ts` states them. */

import { Environment } from './settings.js';

/** What the table says about a variable. */
interface Entry {
  readonly type?: 'integer' | 'number' | 'boolean' | 'string';
  readonly enum?: readonly string[];
  readonly description?: string;
  readonly default?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly pattern?: string;
  readonly $comment?: string;
}

const ENTRIES = Environment.properties as Readonly<Record<string, Entry>>;

/** Every setting, for `--help` and the documentation. */
export const SETTINGS = Object.entries(ENTRIES).map(([name, { description = '', default: fallback }]) => {
  return { name, description, fallback };
});

/** What is wrong with the text of a setting, as a predicate; `null` where nothing is. */
export function faultOf(name: string, text: string): string | null {
  const { type, enum: words, pattern, minimum, maximum, $comment } = ENTRIES[name] as Entry;
  if (words !== undefined) return words.includes(text) ? null : `must be one of ${words.join(', ')}`;
  if (type === 'boolean') return /^(true|false)$/.test(text) ? null : 'must be true or false';
  if (type === 'string') {
    const fits = pattern === undefined || new RegExp(pattern, 'u').test(text);
    return fits ? null : ($comment ?? 'is not valid');
  }
  // Decimal digits are all that is taken for a whole number: not `1e3`, not `Infinity`.
  if (type === 'integer' && !/^-?\d{1,15}$/.test(text)) return 'must be a whole number';
  if (Number.isNaN(Number(text))) return 'is not valid';
  if (minimum !== undefined && Number(text) < minimum) return `must be >= ${minimum}`;
  return maximum !== undefined && Number(text) > maximum ? `must be <= ${maximum}` : null;
}

/** What the text of a setting, without a fault, stands for; its default where there is none. */
export function settingOf(name: string, text: string | undefined): unknown {
  const { type, default: fallback } = ENTRIES[name] as Entry;
  if (text === undefined) return fallback;
  if (type === 'boolean') return text === 'true';
  return type === 'integer' || type === 'number' ? Number(text) : text;
}
