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

/** A call that the gateway makes by itself. */
interface Webhook {
  readonly post: {
    readonly parameters: readonly { readonly name: string; readonly schema: object }[];
    readonly requestBody: {
      readonly content: {
        readonly 'application/json': {
          readonly schema: object;
          readonly examples: Readonly<Record<string, { readonly value: unknown }>>;
        };
      };
    };
  };
}

export interface OpenApi {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly webhooks: Readonly<Record<'avatarEnded', Webhook>>;
  readonly components: object;
}

export const FILE = new URL('../../openapi/openapi.json', import.meta.url);

const { paths, webhooks, components } = JSON.parse(readFileSync(FILE, 'utf8')) as OpenApi;

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

/** Checks headers and body of a callback against what the document says of it. */
export function foretold(t: Test, headers: Readonly<Record<string, unknown>>, body: unknown): void {
  const { parameters, requestBody } = webhooks.avatarEnded.post;
  for (const { name, schema } of parameters) t.ok(Schema.Check(schema, headers[name]), name);
  const { schema } = requestBody.content['application/json'];
  t.strictSame(Schema.Errors({ components, ...schema }, body), [true, []], 'the message');
}
