/** Who a request is from, and what a route says of who may call it. */

import Fastify from 'fastify';
import t from 'tap';
import { Memory } from '../../src/gateway/intake/memory.js';
import { completeRoutes } from '../../src/http/access/access.js';
import { ProblemError } from '../../src/problems.js';
import { bearer, callerNamed, directoryOf } from '../support/directory.js';
import { serverFor } from '../support/server.js';

const directory = directoryOf({ good: callerNamed('team-a'), chief: callerNamed('boss', { admin: true }) }, [
  'old',
]);
const lines: string[] = [];
const missing = () => Promise.reject(new ProblemError('not-found', 'It was looked for.'));
const server = await serverFor(
  t,
  {
    read: missing,
    resolve: missing,
    ready: async () => undefined,
    memory: new Memory(1_000_000),
  },
  (line) => void lines.push(line),
  { auth: { callers: directory, keyless: { isLocal: true, allowedHosts: [], publicUrl: null } } },
);

t.test('a route without a rule stops the start', async (t) => {
  const app = Fastify();
  completeRoutes(app);
  app.get('/open', { config: { access: 'open' } }, async () => 'open');
  t.throws(() => app.get('/nobody-knows', async () => 'secret'), /GET \/nobody-knows does not say/);
  const nested = Fastify();
  completeRoutes(nested);
  nested.register(async (scope) => {
    scope.post('/deep', async () => 'secret');
  });
  await t.rejects(async () => nested.ready(), /POST \/deep does not say/);
});

t.test('before anything of the body is looked at', async (t) => {
  const answer = await server.inject({
    method: 'POST',
    url: '/avatars?what=ever',
    headers: { 'content-type': 'text/xml', accept: 'text/html' },
    payload: '<',
  });
  t.equal(answer.statusCode, 401);
});

t.test('an admin alone resolves, where callers are known', async (t) => {
  const resolve = (key: string) =>
    server.inject({
      method: 'POST',
      url: '/avatars/av_1/resolve',
      headers: bearer(key),
      payload: { made: false },
    });
  const refused = await resolve('good');
  t.equal(refused.statusCode, 403);
  t.match(refused.json(), { detail: 'Only the key of an admin is good for this.' });
  t.match((await resolve('chief')).json(), { detail: 'It was looked for.' });
});

t.test('in the form of Modellix', async (t) => {
  const read = (headers: Record<string, string>) => server.inject({ url: '/api/v1/tasks/av_1', headers });
  for (const headers of [{}, bearer('bad'), bearer('old'), { authorization: 'bearer good' }]) {
    const answer = await read(headers);
    t.equal(answer.statusCode, 401);
    t.match(answer.headers['www-authenticate'], /^Bearer realm=/);
    t.match(answer.json(), { code: 401, message: /^Authentication failed: .*[^.]$/, data: {} });
  }
  t.equal((await read(bearer('good'))).statusCode, 404);
});

t.test('whether a key is good', async (t) => {
  const validate = (headers: Record<string, string>) =>
    server.inject({ url: '/api/v1/apikey/validate', headers });
  for (const [key, is_valid] of [
    ['good', true],
    ['bad', false],
    ['old', false],
  ] as const) {
    const answer = await validate(bearer(key));
    t.equal(answer.statusCode, 200);
    t.strictSame(answer.json(), { code: 0, message: 'success', data: { is_valid } });
  }
  t.match((await validate({})).json(), { code: 401 });
});

t.test('no key is logged', async (t) => {
  lines.length = 0;
  for (const key of ['good', 'a-very-wrong-key']) {
    await server.inject({ url: '/avatars/av_1', headers: bearer(key) });
  }
  t.ok(lines.length > 0);
  t.notMatch(lines.join('\n'), /Bearer|a-very-wrong-key/);
});
