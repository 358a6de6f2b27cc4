/** Their JSON to ours: tables for the rules, properties for whatever else may come. */

import fc from 'fast-check';
import t from 'tap';
import { readQueryAnswer, readSubmitAnswer } from '../../src/modellix/wire.js';

const NOW = Date.UTC(2026, 8, 1);
const READING = { now: NOW };
const bytes = (value: unknown) => Buffer.from(JSON.stringify(value));
const query = (data: object, message = 'success') =>
  readQueryAnswer(200, {}, bytes({ code: 0, message, data }), READING).outcome;

t.test(
  'property: a submit is accepted only with 2xx, code 0 and a task id, refused only definitely',
  async () => {
    const data = fc.oneof(
      fc.record({ task_id: fc.oneof(fc.string(), fc.constant('task-1'), fc.jsonValue()) }),
      fc.jsonValue(),
    );
    const envelope = fc.record({
      code: fc.oneof(fc.constant(0), fc.jsonValue()),
      message: fc.jsonValue(),
      data,
    });
    const body = fc.oneof(
      envelope.map(bytes),
      fc.jsonValue().map(bytes),
      fc.uint8Array().map((array) => Buffer.from(array)),
    );
    const status = fc.oneof(
      fc.constantFrom(200, 202, 400, 408, 409, 425, 429, 500),
      fc.integer({ min: 100, max: 599 }),
    );
    const headers = fc.dictionary(
      fc.constantFrom(
        'retry-after',
        'x-ratelimit-limit',
        'x-ratelimit-remaining',
        'x-ratelimit-reset',
        'date',
      ),
      fc.oneof(fc.string(), fc.array(fc.string()), fc.integer().map(String), fc.double().map(String)),
    );
    fc.assert(
      fc.property(status, headers, body, (status, headers, body) => {
        const { limits } = readQueryAnswer(status, headers, body, READING);
        const { outcome, limits: same } = readSubmitAnswer(status, headers, body, READING);
        const numbers = [limits.limit, limits.remaining, limits.resetInMs].filter((n) => n !== null);
        if (numbers.some((n) => !(n >= 0)) || (limits.resetInMs ?? 0) > 600_000) return false;
        if (JSON.stringify(limits) !== JSON.stringify(same)) return false;
        if (outcome.kind === 'accepted') {
          const read = JSON.parse(body.toString());
          return status >= 200 && status < 300 && read.code === 0 && read.data.task_id === outcome.taskId;
        }
        if (outcome.kind !== 'refused') return outcome.kind === 'unknown';
        const { message, limit, retryAfterMs: wait } = outcome;
        if ((limit === null) !== (status !== 429)) return false;
        const definite = [400, 401, 402, 403, 404, 405, 413, 415, 422, 429].includes(status);
        const bounded = wait === null || (Number.isInteger(wait) && wait >= 0 && wait <= 600_000);
        return definite && bounded && message.length <= 500 && !/[\p{Cc}\p{Cs}]/u.test(message);
      }),
      { numRuns: 500 },
    );
  },
);

t.test('a refusal that names a task contradicts itself and is unknown', async (t) => {
  const body = bytes({ code: 0, message: 'x', data: { task_id: 'task-1' } });
  t.match(readSubmitAnswer(429, {}, body, READING).outcome, { kind: 'unknown', status: 429 });
});

t.test('the time a 429 asks to wait', async (t) => {
  const date = 'Tue, 01 Sep 2026 00:00:00 GMT';
  const at = (ms: number) => String((NOW + ms) / 1000);
  const table: readonly [Record<string, string | string[]>, number | null][] = [
    [{}, null],
    [{ 'retry-after': '0' }, 0],
    [{ 'retry-after': '1.5' }, 1500],
    [{ 'retry-after': ['3', '9'] }, 3000],
    [{ 'retry-after': '99999999999' }, 600_000],
    [{ 'retry-after': 'Tue, 01 Sep 2026 00:00:10 GMT' }, 10_000],
    [{ 'retry-after': 'Tue, 01 Sep 2026 00:00:10 GMT', date: 'Tue, 01 Sep 2026 00:00:04 GMT' }, 6000],
    [{ 'retry-after': 'Mon, 31 Aug 2026 00:00:00 GMT' }, 0],
    [{ 'retry-after': '-1' }, null],
    [{ 'retry-after': 'soon' }, null],
    [{ 'retry-after': 'soon', 'x-ratelimit-reset': at(5000) }, 5000],
    [{ 'retry-after': '2', 'x-ratelimit-reset': at(5000) }, 2000],
    [{ 'x-ratelimit-reset': at(5000), date }, 5000],
    [{ 'x-ratelimit-reset': at(5000), date: 'no date' }, 5000],
    [{ 'x-ratelimit-reset': String(NOW + 7000) }, 7000],
    [{ 'x-ratelimit-reset': at(-1000) }, 0],
    [{ 'x-ratelimit-reset': '4102444800' }, 600_000],
    [{ 'x-ratelimit-reset': 'NaN' }, null],
  ];
  for (const [headers, retryAfterMs] of table) {
    const { outcome } = readQueryAnswer(429, headers, Buffer.alloc(0), READING);
    t.strictSame(outcome, { kind: 'limited', message: 'Modellix answered 429', retryAfterMs }, headers);
  }
});

t.test('the words of a query', async (t) => {
  const words: readonly (readonly [string, object])[] = [
    ...['queued', 'created', 'pending', 'PENDING '].map((w) => [w, { status: 'pending' }] as const),
    ...['processing', 'running', 'in_progress'].map((w) => [w, { status: 'processing' }] as const),
    ...['success', 'succeeded', 'completed', 'done'].map((w) => [w, { kind: 'success' }] as const),
    ...['failed', 'error'].map((w) => [w, { kind: 'failure', reason: null }] as const),
    ...['canceled', 'Cancelled'].map((w) => [w, { kind: 'failure', reason: 'canceled' }] as const),
  ];
  for (const [status, expected] of words) {
    const outcome = query({ status });
    t.match(outcome, expected, status);
    t.notOk('unfamiliarStatus' in outcome);
  }
  t.match(query({ status: 'moderating' }), { status: 'processing', unfamiliarStatus: 'moderating' });
  for (const data of [{}, { status: '' }, { status: 3 }])
    t.match(query(data), { kind: 'unavailable', status: 200 });
  for (const body of ['', 'null', '[]', '{"code":0}', '{"code":1,"data":{"status":"done"}}']) {
    t.match(readQueryAnswer(200, {}, Buffer.from(body), READING).outcome, { kind: 'unavailable' }, body);
  }
});

t.test(
  '[B5] 404 is missing in the envelope of Modellix alone, and a refusal is only there one of Modellix',
  async (t) => {
    const read = (status: number, body: string) =>
      readQueryAnswer(status, {}, Buffer.from(body), READING).outcome;
    const others = [
      '',
      '<html>404 page not found</html>',
      '{"code":0}',
      '{"error":"not found"}',
      '{"code":"404"}',
      '[]',
    ];
    for (const body of others) {
      const outcome = read(404, body);
      t.match(outcome, { kind: 'unavailable', status: 404 }, body);
      t.notOk('byModellix' in outcome);
    }
    const enveloped = (code: number) => JSON.stringify({ code, message: 'no such task', data: {} });
    t.strictSame(read(404, enveloped(404)), { kind: 'missing', message: 'no such task' });
    t.match(read(403, enveloped(403)), { kind: 'unavailable', status: 403, byModellix: true });
    for (const body of [...others, enveloped(401)]) t.notOk('byModellix' in read(403, body), body);
  },
);

t.test('why a task failed, wherever it is said', async (t) => {
  const long = `bad\u0007\n${'\ud83d\ude00'.repeat(400)}`;
  const table: readonly [object, string, string][] = [
    [{ error: 'no face', message: 'b' }, 'c', 'no face'],
    [{ error: { message: 'no face' }, message: 'b' }, 'c', 'no face'],
    [{ error: {}, message: 'b' }, 'c', 'b'],
    [{}, 'c', 'c'],
    [{}, 'success', 'Modellix says "failed" and no reason'],
    [{ error: long }, 'c', `bad ${'\ud83d\ude00'.repeat(247)}…`],
  ];
  for (const [data, top, message] of table) {
    t.strictSame(query({ status: 'failed', ...data }, top), {
      kind: 'failure',
      message,
      reason: null,
      billed: null,
    });
  }
});

t.test('the file of a success', async (t) => {
  const file = (url: unknown, more: object = {}) => ({ url, ...more });
  const chosen = (resources: unknown) => {
    const outcome = query({ status: 'success', result: { resources } });
    return outcome.kind === 'success' ? (outcome.resource?.url ?? null) : outcome.kind;
  };
  const [a, b, c] = [
    file('http://a/'),
    file('https://b/', { type: 'video' }),
    file('https://c/', { role: 'primary' }),
  ];
  t.equal(chosen([a, b, c]), 'https://c/');
  t.equal(chosen([a, b]), 'https://b/');
  t.equal(chosen([a]), 'http://a/');
  t.equal(
    chosen([{ role: 'primary' }, file('ftp://x/', { type: 'video' }), null, 'http://y', a]),
    'http://a/',
  );
  for (const none of [undefined, null, {}, [], [file('')], [file('javascript:1')], [file('http://')]]) {
    t.equal(chosen(none), null);
  }
  const facts = { type: 'video', width: 720, height: 1280.5, format: 'mp4', role: 'primary', size: -1 };
  t.strictSame(query({ status: 'done', result: { resources: [file('https://c/v.mp4?s=1', facts)] } }), {
    kind: 'success',
    resource: {
      url: 'https://c/v.mp4?s=1',
      format: 'mp4',
      width: 720,
      height: null,
      bytes: null,
      durationSeconds: null,
    },
    expiresAt: null,
    billed: null,
  });
  for (const [duration, seconds] of [
    [7.2, 7.2],
    [300, 300],
    [7_200, 7.2],
    [0, null],
    [-1, null],
    ['7.2', null],
  ] as const) {
    const found = query({ status: 'done', result: { resources: [file('https://c/v.mp4', { duration })] } });
    t.match(found, { resource: { durationSeconds: seconds } }, `a duration of ${duration}`);
  }
});

t.test('what a finished task was billed', async (t) => {
  const billed = (billing: unknown) =>
    ['success', 'failed'].map((status) => {
      const outcome = query({ status, billing });
      return 'billed' in outcome ? [outcome.billed, outcome.unusableBill] : outcome.kind;
    });
  const both = (amount: number | null, unusable?: string) => [
    [amount, unusable],
    [amount, unusable],
  ];
  t.strictSame(billed({ status: 'succeeded', amount: '0.2400' }), both(240_000));
  t.strictSame(billed({ amount: '0', currency: 'USD' }), both(0));
  for (const none of [undefined, null, 'free', [], {}, { amount: null }, { status: 'succeeded' }])
    t.strictSame(billed(none), both(null), JSON.stringify(none));
  for (const [amount, word] of [
    ['-0.24', '"-0.24" "USD"'],
    ['1e3', '"1e3" "USD"'],
    ['1000.01', '"1000.01" "USD"'],
    ['', '"" "USD"'],
    [0.24, '0.24 "USD"'],
    [{ usd: '0.24' }, '{"usd":"0.24"} "USD"'],
  ] as const)
    t.strictSame(billed({ amount }), both(null, word), word);
  t.strictSame(billed({ amount: '0.24', currency: 'CNY' }), both(null, '"0.24" "CNY"'));
  t.notOk('billed' in query({ status: 'processing', billing: { amount: '0.24' } }), 'it may change');
});

t.test('when the file expires', async (t) => {
  const table: readonly [unknown, number | null][] = [
    [NOW, NOW],
    [NOW / 1000, NOW],
    [String(NOW), NOW],
    ['2026-09-01T00:00:00Z', NOW],
    ['2026-09-01T00:00:00', NOW],
    ['2026-09-01 00:00:00.000', NOW],
    ['2026-09-01T02:00:00+02:00', NOW],
    ['2026-09-01', NOW],
    ['tomorrow', null],
    ['2026-99-99', null],
    [0, null],
    [-5, null],
    [1e300, null],
    [null, null],
    [{}, null],
  ];
  for (const [value, expiresAt] of table) {
    t.match(query({ status: 'success', result_expires_at: value }), { expiresAt }, String(value));
  }
});
