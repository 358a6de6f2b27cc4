/** Values that a schema asks for, at its limits more often than chance would have it, and values that nobody asked for. */

import type { Chance } from '../storm/random.js';
import type { ApiDocument, JsonSchema } from './document.js';

/** What a schema cannot say: values for members of these names that are good beyond their type. */
export type Recipes = Readonly<Record<string, (chance: Chance) => unknown>>;

const LETTERS = [
  ...'abcXYZ019 -_.,:;/\\"\'<>&%+={}[]()',
  'é',
  'ß',
  '漢',
  '🙂',
  '\u0301',
  '\u202e',
  '\u200b',
  '\t',
];
/** For patterns, whatever they are: one of these will do. */
const WORDS = [
  'task-1',
  'a',
  'abc',
  '1',
  '10',
  'av_0',
  '2026-11-22',
  'a@example.com',
  'https://example.com/a',
];

/** Strings whose format says more than their length. */
const FORMATS: Recipes = {
  'date-time': (chance) => new Date(Date.UTC(2026, 0, 1) + chance.between(0, 4e10)).toISOString(),
  date: (chance) => new Date(Date.UTC(2026, 0, 1) + chance.between(0, 4e10)).toISOString().slice(0, 10),
  uri: () => 'https://example.com/',
};

export class Values {
  readonly #document: ApiDocument;
  readonly #recipes: Recipes;

  constructor(document: ApiDocument, recipes: Recipes) {
    this.#document = document;
    this.#recipes = recipes;
  }

  /** A value that is as the schema says. @param name that of the member or parameter it is for */
  good(chance: Chance, schema: JsonSchema, name: string): unknown {
    const {
      enum: listed,
      anyOf,
      type,
      properties,
    } = schema as {
      enum?: unknown[];
      anyOf?: JsonSchema[];
      type?: string;
      properties?: Record<string, JsonSchema>;
    };
    if ('const' in schema) return schema.const;
    if (listed !== undefined) return chance.pick(listed);
    if (anyOf !== undefined) return this.good(chance, chance.pick(anyOf), name);
    const recipe = this.#recipes[name] ?? FORMATS[String(schema.format)];
    if (recipe !== undefined) return recipe(chance);
    if (properties !== undefined) return this.#object(chance, schema, properties);
    switch (type) {
      case 'object':
        return this.#map(chance, schema);
      case 'array': {
        const items = (schema.items ?? {}) as JsonSchema;
        const length = chance.between(
          Number(schema.minItems ?? 0),
          Math.min(Number(schema.maxItems ?? 3), 5),
        );
        return Array.from({ length }, () => this.good(chance, items, name));
      }
      case 'integer':
      case 'number':
        return chance.between(Number(schema.minimum ?? 0), Math.min(Number(schema.maximum ?? 1e6), 1e9));
      case 'boolean':
        return chance.is(0.5);
      case 'null':
        return null;
      default:
        return this.#string(chance, schema);
    }
  }

  #object(chance: Chance, schema: JsonSchema, properties: Record<string, JsonSchema>): unknown {
    const { required = [], oneOf = [] } = schema as { required?: string[]; oneOf?: { required: string[] }[] };
    const alternatives = oneOf.map((each) => each.required);
    const chosen = alternatives.length === 0 ? [] : chance.pick(alternatives);
    const excluded = new Set(alternatives.flat().filter((name) => !chosen.includes(name)));
    const wanted = new Set([...required, ...chosen]);
    const optional = chance.pick([0, 0.3, 1]);
    return Object.fromEntries(
      Object.entries(properties)
        .filter(([name]) => wanted.has(name) || (!excluded.has(name) && chance.is(optional)))
        .map(([name, each]) => [name, this.good(chance, each, name)]),
    );
  }

  #map(chance: Chance, schema: JsonSchema): unknown {
    const names = (schema.propertyNames ?? { minLength: 1, maxLength: 20 }) as JsonSchema;
    const values = (
      typeof schema.additionalProperties === 'object' ? schema.additionalProperties : { type: 'string' }
    ) as JsonSchema;
    const length = chance.pick([0, 1, 3, Math.min(Number(schema.maxProperties ?? 3), 100)]);
    return Object.fromEntries(
      Array.from({ length }, () => [this.#string(chance, names), this.good(chance, values, '')]),
    );
  }

  #string(chance: Chance, schema: JsonSchema): string {
    const least = Number(schema.minLength ?? 0);
    const most = Number(schema.maxLength ?? least + 40);
    if (schema.pattern !== undefined) {
      return WORDS.find((word) => this.#document.fault(schema, word) === null) ?? '';
    }
    const length = chance.pick([least, Math.min(least + 1, most), Math.min(least + 12, most), most]);
    return Array.from({ length }, () => chance.pick(LETTERS)).join('');
  }
}

/** Values that fit nothing, or not where they are put. */
export function hostile(chance: Chance, before?: unknown): unknown {
  const text = typeof before === 'string' ? before : 'std';
  const values: readonly (() => unknown)[] = [
    () => null,
    () => chance.is(0.5),
    () => chance.pick([0, -1, 1.5, 2 ** 53, -(2 ** 63), 1e308, 5e-324]),
    () => '',
    () => ' ',
    () => [],
    () => ({}),
    () => [text],
    () => ({ [text.slice(0, 20)]: text }),
    () => text.toUpperCase(),
    () => ` ${text}`,
    () => `${text}\n`,
    () => `${text.slice(0, 9)}\0`,
    () => `${text.slice(0, 9)}\ud800`,
    () => '\udc00\ud800',
    () => '\u0001\u001f\u007f\u0085\u2028',
    () => 'x'.repeat(chance.pick([41, 256, 257, 501, 2501, 5_000])),
    () => '🙂'.repeat(chance.pick([41, 255, 256, 2500, 2501])),
    () => nested(chance.pick([2, 15, 16, 17, 200])),
    () => Object.fromEntries(Array.from({ length: chance.pick([50, 51, 500]) }, (_, at) => [`n${at}`, 'v'])),
    () => ({ constructor: { prototype: { mode: 'pro' } } }),
    () => JSON.parse('{"__proto__":{"mode":"pro"}}'),
    () => "'; DROP TABLE avatars; --",
    () => '../../../etc/passwd',
    () => 'ftp://user:word@127.0.0.1/',
    () => 'http://169.254.169.254/latest/meta-data',
    () => 'data:image/png;base64,AAAA',
    () => '{{7*7}}%s%n',
  ];
  return chance.pick(values)();
}

function nested(depth: number): unknown {
  let value: unknown = 'bottom';
  for (let level = 0; level < depth; level++) value = level % 2 === 0 ? [value] : { a: value };
  return value;
}
