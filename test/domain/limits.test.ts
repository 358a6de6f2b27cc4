/** What may be done now, from what is known of Modellix and of each key. */

import t from 'tap';
import { beginTry, SUBMITS } from '../../src/domain/limits/breaker.js';
import {
  afterCall,
  type CallResult,
  type LimitsState,
  NOTHING_KNOWN,
  pollTerms,
  submitTerms,
} from '../../src/domain/limits/limits.js';

const NOW = 1_790_000_000_000;
const LIMITS = { callsPerMinute: 100, tasks: 3 };
const SILENT = { limit: null, remaining: null, resetInMs: null };
const KEYS = ['a', 'b'];
const PATHS = ['/a', '/b'];

function after(known: LimitsState, result: CallResult, times = 1): LimitsState {
  const call = { keyId: 'a', ...result, headers: SILENT };
  return Array.from({ length: times }).reduce<LimitsState>(
    (k) => afterCall(k, call, NOW, 1, LIMITS, PATHS),
    known,
  );
}

const poll = (said: CallResult['said']): CallResult => ({ call: 'poll', said });
const submit = (said: CallResult['said']): CallResult => ({ call: 'submit', path: '/a', said });
const keysOf = (known: LimitsState, hasTry = false) =>
  submitTerms(known, KEYS, NOW, LIMITS, PATHS, hasTry).map(({ keyId }) => keyId);

t.test('where nothing was learned every key may do what is configured', async (t) => {
  const [terms] = submitTerms(NOTHING_KNOWN, KEYS, NOW, LIMITS, PATHS);
  t.match(terms, { keyId: 'a', slots: 3, calls: { burst: 10 } });
  t.same(pollTerms(NOTHING_KNOWN, 'b', NOW, LIMITS), terms?.calls);
});

t.test('[A7] submits that fail hold back submits; polls that fail hold back all', async (t) => {
  const submits = after(NOTHING_KNOWN, submit('failed'), 5);
  t.same([keysOf(submits), pollTerms(submits, 'a', NOW, LIMITS) !== null], [[], true]);
  t.same(after(submits, poll({ kind: 'polled' })), submits, 'a poll that works says nothing of them');
  t.same(keysOf(after(submits, submit({ kind: 'ok', held: 0 }))), KEYS);
  t.same(keysOf(submits, true), KEYS, 'but for the one that is tried');

  const polls = after(NOTHING_KNOWN, poll('failed'), 5);
  t.same([keysOf(polls), pollTerms(polls, 'a', NOW, LIMITS)], [[], null]);
  t.same(
    keysOf(after(polls, submit({ kind: 'ok', held: 0 }))),
    KEYS,
    'a submit that works shows that it is there',
  );
});

t.test('[B3] a call without a connection says nothing to others', async (t) => {
  t.equal(after(NOTHING_KNOWN, poll('unreachable'), 9), NOTHING_KNOWN);
  t.equal(after(NOTHING_KNOWN, submit('unreachable'), 9), NOTHING_KNOWN);
  const open = after(NOTHING_KNOWN, submit('failed'), 5);
  const tried = { ...open, submits: beginTry(open.submits, SUBMITS, NOW + 2_000) ?? open.submits };
  t.match(after(tried, submit('unreachable')), { submits: { trying: false } }, 'the try is another’s');
});

t.test('a key that pauses or rests is left out, and the others are not', async (t) => {
  const paused = after(NOTHING_KNOWN, poll({ kind: 'rate-limited', retryAfterMs: 5_000 }));
  t.same([keysOf(paused), pollTerms(paused, 'a', NOW, LIMITS)], [['b'], null]);
  t.ok(pollTerms(paused, 'b', NOW, LIMITS));
  const unpaid = after(NOTHING_KNOWN, submit({ kind: 'rejected', polls: false }));
  t.same([keysOf(unpaid), pollTerms(unpaid, 'a', NOW, LIMITS) !== null], [['b'], true]);
});

t.test('an answer that says nothing new changes nothing', async (t) => {
  for (const result of [poll({ kind: 'polled' }), submit({ kind: 'ok', held: 2 })])
    t.equal(after(NOTHING_KNOWN, result), NOTHING_KNOWN);
});
