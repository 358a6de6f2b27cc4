/** Whether an answer is one that the OpenAPI document promises. */

import { readFileSync } from 'node:fs';
import type { Test } from 'tap';
import Schema from 'typebox/schema';

interface Described {
  readonly headers?: Readonly<Record<string, unknown>>;
  readonly content?: Readonly<Record<string, { readonly schema: object }>>;
}

interface Operation {
  readonly responses: Readonly<Record<string, Described>>;
}

export interface OpenApi {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: object;
}

export const FILE = new URL('../../openapi/openapi.json', import.meta.url);

const { paths, components } = JSON.parse(readFileSync(FILE, 'utf8')) as OpenApi;

/** Checks status, content type, headers and body against an operation, and returns the body. */
export async function promised(t: Test, response: Response, method: string, path: string): Promise<unknown> {
  const described = paths[path]?.[method.toLowerCase()]?.responses[response.status];
  const name = `${method} ${path} may answer ${response.status}`;
  if (described === undefined) return t.fail(name, { text: await response.text() });
  const type = response.headers.get('content-type')?.split(';', 1)[0] ?? '';
  const schema = described.content?.[type]?.schema;
  if (schema === undefined) return t.fail(`${name} with ${type}`, { text: await response.text() });
  const body: unknown = await response.json();
  t.strictSame(Schema.Errors({ components, ...schema }, body), [true, []], name);
  return body;
}
