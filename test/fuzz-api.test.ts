/** A short fuzz of every route in the OpenAPI document. The long one: `npm run fuzz:api`. */

import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import t from 'tap';
import { ApiDocument } from './fuzz-api/document.js';
import { fuzzApi } from './fuzz-api/fuzz.js';
import { startFuzzed } from './fuzz-api/gateway.js';
import { faultsOf } from './fuzz-api/judge.js';
import { describeFinding } from './fuzz-api/report.js';
import type { ApiRequest } from './fuzz-api/requests.js';
import { FILE } from './support/openapi.js';

const document = new ApiDocument(readFileSync(FILE, 'utf8'));
const REQUESTS = 1_500;

t.test('every answer is one that the document promises', async (t) => {
  const { url, recipes, key, logLines } = await startFuzzed(t);
  const options = { url, recipes, document, requests: REQUESTS, concurrency: 32, seed: 7, key };
  const { tally, findings } = await fuzzApi(options);
  t.strictSame(
    findings.map((finding) => describeFinding(finding, tmpdir())),
    [],
  );
  for (const { name } of document.operations) t.ok(tally.requestsOf(name) > 0, `${name} was called`);
  t.ok(tally.takenOf('POST /avatars') > 0, 'some requests are good');
  t.comment(`fuzz:api: ${REQUESTS - findings.length} of ${REQUESTS} requests answered as documented`);
  t.equal((await fetch(`${url}/readyz`)).status, 200, 'and it still answers');
  const loud = logLines().filter((line) => (JSON.parse(line) as { level: number }).level >= 50);
  t.strictSame(loud, [], 'nobody was alarmed');
});

t.test('an answer that is not promised is found out', async (t) => {
  const operation = document.operations.find(({ name }) => name === 'GET /livez');
  if (operation === undefined) throw new Error('the document has no /livez');
  const request: ApiRequest = {
    operation,
    method: 'GET',
    target: '/livez',
    headers: {},
    body: null,
    flaws: new Set(),
    isRefused: false,
    waits: false,
  };
  const headers = {
    'x-request-id': 'a',
    'cache-control': 'no-store',
    'content-type': 'application/json; charset=utf-8',
  };
  const good = { status: 200, headers, body: Buffer.from('{"status":"alive"}'), isWhole: true };
  const isFound = (answer: Partial<typeof good>, more: Partial<ApiRequest> = {}) =>
    faultsOf(document, { ...request, ...more }, { ...good, ...answer }).length > 0;
  t.notOk(isFound({}));
  t.ok(isFound({ status: 500 }), 'a 5xx');
  t.ok(isFound({ status: 201 }), 'a status');
  t.ok(isFound({ status: 404 }), 'one that only another path may have');
  t.ok(isFound({ headers: { ...headers, 'content-type': 'text/html' } }), 'a content type');
  t.ok(isFound({ headers: { 'content-type': 'application/json' } as typeof headers }), 'no request id');
  t.ok(isFound({ body: Buffer.from('{}') }), 'a body');
  t.ok(isFound({ body: Buffer.from('{') }), 'half a body');
  t.ok(isFound({}, { isRefused: true }), 'a request that was to be refused');
  t.ok(isFound({}, { method: 'HEAD' }), 'a HEAD with a body');
  t.ok(isFound({}, { method: 'PUT', flaws: new Set(['method']) }), 'a method that was to be refused');
});
