/** The OpenAPI document, as far as requests are made and answers judged from it. */

import Schema from 'typebox/schema';

export type JsonSchema = Readonly<Record<string, unknown>>;

export interface Parameter {
  readonly in: 'path' | 'query' | 'header';
  readonly name: string;
  readonly required?: boolean;
  readonly schema: JsonSchema;
}

export interface Described {
  readonly headers?: Readonly<Record<string, { readonly schema: JsonSchema }>>;
  readonly content?: Readonly<Record<string, { readonly schema?: JsonSchema }>>;
}

export interface Operation {
  /** Method and path. */
  readonly name: string;
  readonly method: string;
  /** With its parameters in braces. */
  readonly path: string;
  readonly parameters: readonly Parameter[];
  /** By content type; none: it takes no body. */
  readonly bodies: ReadonlyMap<string, JsonSchema>;
  readonly responses: Readonly<Record<string, Described>>;
}

interface Written {
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: JsonSchema }>> };
  readonly responses: Operation['responses'];
}

export class ApiDocument {
  readonly operations: readonly Operation[];
  readonly #components: unknown;
  readonly #checks = new WeakMap<JsonSchema, (value: unknown) => string | null>();

  constructor(text: string) {
    const { paths, components } = JSON.parse(text) as {
      paths: Record<string, Record<string, Written>>;
      components: unknown;
    };
    this.#components = components;
    this.operations = Object.entries(paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, { parameters = [], requestBody, responses }]) => ({
        name: `${method.toUpperCase()} ${path}`,
        method: method.toUpperCase(),
        path,
        parameters,
        bodies: new Map(
          Object.entries(requestBody?.content ?? {}).map(([type, { schema }]) => [type, schema] as const),
        ),
        responses,
      })),
    );
  }

  methodsOf(path: string): string[] {
    return this.operations.filter((each) => each.path === path).map(({ method }) => method);
  }

  /** What is wrong with a value, `null` where it is as the schema says. */
  fault(schema: JsonSchema, value: unknown): string | null {
    let check = this.#checks.get(schema);
    if (check === undefined) {
      const whole = { components: this.#components, ...schema };
      const compiled = Schema.Compile(whole);
      check = (each) =>
        compiled.Check(each) ? null : JSON.stringify(Schema.Errors(whole, each)[1].slice(0, 5));
      this.#checks.set(schema, check);
    }
    return check(value);
  }
}
