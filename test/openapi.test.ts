import { readFile } from 'node:fs/promises';
import t from 'tap';
import Schema from 'typebox/schema';
import { clientTypes } from '../openapi/client-types.js';
import { openApiDocument } from '../openapi/document.js';
import { PROBLEMS } from '../src/problems.js';
import { FILE, type OpenApi } from './support/openapi.js';

interface Problems {
  readonly description?: string;
  readonly content?: Readonly<
    Record<string, { readonly examples?: Readonly<Record<string, { readonly value: unknown }>> }>
  >;
}

const text = await openApiDocument();
const document = JSON.parse(text) as OpenApi;
const { components } = document;
const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ name: `${method} ${path}`, path, ...operation })),
);
const isDropIn = ({ path }: { path: string }) => path.startsWith('/api/v1/');

t.test('openapi.json is what the routes describe', async (t) => {
  t.equal(await readFile(FILE, 'utf8'), text, 'otherwise: npm run openapi');
});

t.test("the client's types are what the document says", async (t) => {
  const file = new URL('../src/client/schema.ts', import.meta.url);
  t.equal(await readFile(file, 'utf8'), await clientTypes(text), 'otherwise: npm run openapi');
});

t.test('a status that a route declares comes with every problem that has it', async (t) => {
  for (const { name, responses } of operations.filter((operation) => !isDropIn(operation))) {
    for (const [status, described] of Object.entries(responses) as [string, Problems][]) {
      if (Number(status) < 400) continue;
      const { examples = {} } = described.content?.['application/problem+json'] ?? {};
      const slugs = Object.entries(PROBLEMS)
        .filter(([, problem]) => problem.status === Number(status))
        .map(([slug]) => slug);
      t.strictSame(Object.keys(examples).sort(), slugs.sort(), `${name} ${status}`);
      t.not(slugs.length, 0, `${name} ${status} is in the catalogue`);
      for (const [slug, { value }] of Object.entries(examples)) {
        t.match(described.description, `\`${slug}\`: `);
        t.match(value, { type: `urn:avatar-gateway:problem:${slug}`, status: Number(status) });
        t.ok(Schema.Check({ components, $ref: '#/components/schemas/Problem' }, value), `example of ${slug}`);
      }
    }
  }
});

t.test('an answer without content is not said to have any', async (t) => {
  const found = operations.flatMap(({ name, responses }) =>
    Object.entries(responses as Record<string, Problems>)
      .filter(([status, { content }]) => /^(204|3\d\d)$/.test(status) && content !== undefined)
      .map(([status]) => `${name} ${status}`),
  );
  t.strictSame(found, []);
});

t.test('the drop-in routes declare refusals in the form of Modellix', async (t) => {
  for (const { name, responses } of operations.filter(isDropIn)) {
    for (const [status, { content }] of Object.entries(responses) as [string, Problems][]) {
      t.strictSame(Object.keys(content ?? {}), ['application/json'], `${name} ${status}`);
      if (Number(status) < 400) continue;
      const { examples = {} } = content?.['application/json'] ?? {};
      for (const { value } of Object.values(examples)) t.match(value, { code: Number(status), data: {} });
    }
  }
});

t.test('the call at the end of an avatar is described', async (t) => {
  const { schema, examples } = document.webhooks.avatarEnded.post.requestBody.content['application/json'];
  const check = (message: unknown) => Schema.Check({ components, ...schema }, message);
  for (const [name, { value }] of Object.entries(examples)) {
    const message = value as { readonly data: object };
    t.ok(check(message), name);
    t.notOk(check({ ...message, type: 'avatar.pending' }), 'it is told of ends alone');
    t.ok(check({ ...message, truncated: true, data: { ...message.data, metadata: null } }), 'shortened');
    t.notOk(check({ ...message, data: { ...message.data, links: null } }));
  }
});

t.test('what is asked of a body stands in the document', async (t) => {
  const post = document.paths['/avatars']?.post as unknown as {
    requestBody: { content: { 'application/json': { schema: object & { examples?: unknown[] } } } };
  };
  const { schema } = post.requestBody.content['application/json'];
  const check = (body: unknown) => Schema.Check({ components, ...schema }, body);
  const good = { image: 'https://example.com/a.jpg', audio_id: 'a' };
  t.ok(check(good));
  const bad: Record<string, unknown> = {
    neither: { image: 'a' },
    both: { ...good, sound_file: 'b' },
    unknown: { ...good, extra: 1 },
    'a long name': { ...good, metadata: { ['n'.repeat(41)]: 'a' } },
    'an empty name': { ...good, metadata: { '': 'a' } },
    'a long value': { ...good, metadata: { a: 'v'.repeat(501) } },
    'a number': { ...good, metadata: { 'a\nb': 1 } },
    'another mode': { ...good, mode: 'STD' },
  };
  for (const [name, body] of Object.entries(bad)) t.notOk(check(body), name);
});
