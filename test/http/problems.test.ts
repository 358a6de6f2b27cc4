/** How errors become answers: every problem of the catalogue, and what nobody expected. */

import t from 'tap';
import type { Gateway } from '../../src/gateway/gateway.js';
import { PROBLEMS, ProblemError, type ProblemSlug } from '../../src/problems.js';
import { startApp } from '../support/app.js';
import { promised } from '../support/openapi.js';
import { serverFor } from '../support/server.js';

let read: Gateway['read'] = () => Promise.reject(new Error('not said'));
const lines: string[] = [];
const server = await serverFor(t, { read: (...args) => read(...args) }, (line) => void lines.push(line));

/** What comes of reading an avatar. */
async function reading(how: Gateway['read']) {
  read = how;
  lines.length = 0;
  const answer = await server.inject('/avatars/av_1');
  const loud = lines
    .map((line) => JSON.parse(line) as Record<string, unknown>)
    .filter(({ level }) => Number(level) >= 50);
  return { answer, problem: JSON.parse(answer.body) as unknown, loud };
}

t.test('every problem of the catalogue', async (t) => {
  for (const [slug, { status, title }] of Object.entries(PROBLEMS) as [
    ProblemSlug,
    { status: number; title: string },
  ][]) {
    await t.test(slug, async (t) => {
      const error = new ProblemError(slug, 'In words.', {
        errors: [{ pointer: '/a', detail: 'is b' }],
        headers: { 'retry-after': '7' },
        instance: '/avatars/av_2',
        cause: new Error('a secret'),
      });
      const { answer, problem, loud } = await reading(() => Promise.reject(error));
      t.equal(answer.statusCode, status);
      t.equal(answer.headers['content-type'], 'application/problem+json; charset=utf-8');
      t.equal(answer.headers['retry-after'], '7');
      t.strictSame(problem, {
        type: `urn:avatar-gateway:problem:${slug}`,
        title,
        status,
        detail: 'In words.',
        instance: '/avatars/av_2',
        request_id: answer.headers['x-request-id'],
        errors: [{ pointer: '/a', detail: 'is b' }],
      });
      t.equal(loud.length, status >= 500 ? 1 : 0, 'what is not the caller’s doing stands in the log');
    });
  }
});

t.test('an error that nobody expected is logged, and not shown', async (t) => {
  for (const error of [
    new Error('a secret'),
    new TypeError('a secret'),
    Object.assign(new Error('a secret'), { statusCode: 200 }),
  ]) {
    const { answer, problem, loud } = await reading(() => Promise.reject(error));
    t.match(problem, { type: 'urn:avatar-gateway:problem:internal', status: 500, instance: '/avatars/av_1' });
    t.equal(answer.statusCode, 500);
    t.notMatch(answer.body, /secret|stack/);
    t.match(loud, [
      { err: { message: 'a secret', stack: /problems\.test/ }, reqId: answer.headers['x-request-id'] },
    ]);
  }
});

t.test('an answer that cannot be written', async (t) => {
  const { answer, problem } = await reading(() => Promise.resolve({} as never));
  t.equal(answer.statusCode, 500);
  t.match(problem, { type: 'urn:avatar-gateway:problem:internal' });
});

t.test('too many requests', async (t) => {
  const { url } = await startApp(t, { rateLimitPerMinute: 2 });
  const read = () => fetch(`${url}/avatars/av_1`);
  t.strictSame([(await read()).status, (await read()).status], [404, 404]);
  const response = await read();
  t.equal(response.status, 429);
  t.match(response.headers.get('retry-after'), /^([1-9]|[1-5]\d|60)$/);
  t.match(await promised(t, response, 'GET', '/avatars/{id}'), {
    type: 'urn:avatar-gateway:problem:rate-limited',
    instance: '/avatars/av_1',
  });
});
