import openapiTS, { astToString } from 'openapi-typescript';

const HEAD = '// Made from openapi/openapi.json by `npm run openapi`. Do not edit.\n\n';

type Schema = Record<string, unknown>;

interface Body {
  readonly content: Readonly<Record<string, { readonly schema: Schema & { readonly title: string } }>>;
}

interface Parameter {
  readonly in: string;
  readonly name: string;
  readonly description: string;
  readonly schema: Schema;
}

interface Document {
  readonly paths: Readonly<
    Record<string, Record<string, { requestBody?: Body; parameters?: readonly Parameter[] }>>
  >;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
}

/**
 * The types of `src/client/schema.ts`: the schemas of the document, the JSON bodies of the `/avatars` routes under their
 * titles, and what the list is asked for. A body's `oneOf` only says which members are required, and is left out: it
 * would become `unknown`.
 */
export async function clientTypes(openApi: string): Promise<string> {
  const { paths, components } = JSON.parse(openApi) as Document;
  const schemas: Record<string, Schema> = { ...components.schemas };
  for (const [path, methods] of Object.entries(paths)) {
    if (!path.startsWith('/avatars')) continue;
    for (const { requestBody } of Object.values(methods)) {
      const schema = requestBody?.content['application/json']?.schema;
      if (schema === undefined) continue;
      const { oneOf: _, ...rest } = schema;
      schemas[schema.title] = rest;
    }
  }
  schemas.ListQuery = queryOf(paths['/avatars']?.get?.parameters ?? []);
  const nodes = await openapiTS(
    JSON.stringify({
      openapi: '3.1.0',
      info: { title: '', version: '' },
      paths: {},
      components: { schemas },
    }),
    { defaultNonNullable: false, rootTypes: true, rootTypesNoSchemaPrefix: true },
  );
  return HEAD + astToString(nodes);
}

function queryOf(parameters: readonly Parameter[]): Schema {
  const members = parameters.map(({ name, description, schema }) => [name, { ...schema, description }]);
  return { type: 'object', additionalProperties: false, properties: Object.fromEntries(members) };
}
