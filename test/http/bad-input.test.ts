import t, { type Test } from 'tap';
import { PROBLEMS, type ProblemSlug } from '../../src/problems.js';
import { startApp } from '../support/app.js';
import { callersFile } from '../support/callers.js';
import { byteCases } from './bad-input/bytes.js';
import { callbackCases } from './bad-input/callbacks.js';
import { CALLERS, callerCases } from './bad-input/callers.js';
import type { Answer, BadInput } from './bad-input/case.js';
import { fieldCases } from './bad-input/fields.js';
import { formCases } from './bad-input/forms.js';
import { httpCases } from './bad-input/http.js';
import { jsonCases } from './bad-input/json.js';
import { listCases } from './bad-input/lists.js';
import { mediaCases } from './bad-input/media.js';
import { unfinishedCases } from './bad-input/unfinished.js';

interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly instance: string;
  readonly request_id: string;
  readonly errors?: readonly { readonly pointer: string; readonly detail: string }[];
}

function judge(t: Test, { expected, pointers, instance, headers = {}, bodiless }: BadInput, answer: Answer) {
  const [status, slug] = expected;
  t.equal(answer.status, status, 'status');
  t.equal(answer.headers.get('content-type'), 'application/problem+json; charset=utf-8', 'content type');
  t.match(answer.headers.get('x-request-id'), /^[0-9a-f-]{36}$/, 'request id');
  for (const [name, value] of Object.entries(headers)) t.equal(answer.headers.get(name), value, name);
  if (bodiless === true) {
    t.equal(answer.text, '');
    return;
  }
  const { errors, ...problem } = JSON.parse(answer.text) as Problem;
  t.strictSame(problem, {
    type: `urn:avatar-gateway:problem:${slug}`,
    title: PROBLEMS[slug as ProblemSlug].title,
    status,
    detail: problem.detail,
    instance,
    request_id: answer.headers.get('x-request-id'),
  });
  t.match(problem.detail, /^\S.*\S$/s, 'it says what is wrong');
  t.ok(answer.text.length < 20_000, 'it is not endless');
  t.strictSame(errors?.map(({ pointer }) => pointer).sort(), pointers && [...pointers].sort(), 'pointers');
  for (const error of errors ?? []) t.match(error, { detail: /^\S/ });
}

/** What bad input is answered with, but for who may not call. */
const EXPECTED = [
  '400 bad-request',
  '400 invalid-json',
  '400 invalid-multipart',
  '400 invalid-query',
  '400 invalid-cursor',
  '400 idempotency-key-invalid',
  '404 not-found',
  '405 method-not-allowed',
  '406 not-acceptable',
  '408 request-timeout',
  '413 payload-too-large',
  '415 unsupported-media-type',
  '416 range-not-satisfiable',
  '422 validation',
  '422 invalid-media',
  '422 url-not-allowed',
  '431 headers-too-large',
];

t.test('bad input', async (t) => {
  const app = await startApp(t);
  const impatient = await startApp(t, { arrivalMs: 300 });
  const { file } = await callersFile(t, CALLERS);
  const guarded = await startApp(t, { callers: { kind: 'file', file } });
  const guardedCases = new Set(callerCases);
  const cases = [
    ...jsonCases,
    ...fieldCases,
    ...mediaCases,
    ...formCases,
    ...callbackCases,
    ...callerCases,
    ...httpCases,
    ...listCases,
    ...byteCases,
    ...unfinishedCases,
  ];
  t.equal(new Set(cases.map(({ name }) => name)).size, cases.length, 'no name stands for two cases');

  // Each of them waits a second or so, for nothing.
  const waiting = new Map(
    cases.filter(({ slow }) => slow).map((each) => [each, each.send(impatient.url)] as const),
  );
  const counts = new Map(EXPECTED.map((each) => [each, { passed: 0, cases: 0 }]));
  let passed = 0;
  for (const each of cases) {
    const answer = await (waiting.get(each) ?? each.send(guardedCases.has(each) ? guarded.url : app.url));
    const result = await t.test(each.name, async (t) => judge(t, each, answer));
    const count = counts.get(each.expected.join(' '));
    if (count !== undefined) count.cases += 1;
    if (!result?.ok) continue;
    passed += 1;
    if (count !== undefined) count.passed += 1;
  }
  for (const [name, count] of counts) {
    t.comment(`bad input: ${name}: ${count.passed} of ${count.cases}`);
    t.not(count.cases, 0, `${name} is called for`);
  }
  t.comment(`bad input: ${passed} of ${cases.length}`);
  t.equal(passed, cases.length, 'all of them');

  for (const { url, simulator, logLines } of [app, impatient, guarded]) {
    t.strictSame(simulator.ledger(), [], 'nothing was spent');
    t.strictSame(simulator.calls(), [], 'Modellix was not even asked');
    t.equal((await fetch(`${url}/readyz`)).status, 200, 'and it still answers');
    const loud = logLines().filter((line) => (JSON.parse(line) as { level: number }).level >= 40);
    t.strictSame(loud, [], 'nobody was alarmed');
  }
});
