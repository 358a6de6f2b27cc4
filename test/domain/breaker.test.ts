/** The breakers: open after failures in a row, let one try through at a time, and close on one that succeeds. */

import t from 'tap';
import {
  afterFailure,
  afterSuccess,
  type Breaker,
  beginTry,
  CLOSED,
  CONNECTION,
  dropTry,
  isOpen,
  keepTry,
  MODELLIX,
  SUBMITS,
  tryInMs,
} from '../../src/domain/limits/breaker.js';

const NOW = 1_790_000_000_000;

function after(results: string, rule = MODELLIX, from = CLOSED): Breaker {
  return [...results].reduce(
    (breaker, result) => (result === '+' ? afterSuccess(breaker) : afterFailure(breaker, rule, NOW, 1)),
    from,
  );
}

/** The pauses, in seconds, where each try fails. */
function pauses(rule: typeof MODELLIX, times: number): number[] {
  const lengths: number[] = [];
  let [breaker, now] = [after('-----', rule), NOW];
  while (lengths.length < times) {
    const inMs = tryInMs(breaker, rule, now) ?? 0;
    lengths.push(inMs / 1_000);
    now += inMs;
    breaker = afterFailure(beginTry(breaker, rule, now) ?? CLOSED, rule, now, 1);
  }
  return lengths;
}

t.test('it opens at the fifth failure in a row, and not where one call in between succeeded', async (t) => {
  t.notOk(isOpen(after('----')));
  t.notOk(isOpen(after('----+----')));
  t.ok(isOpen(after('----+-----')));
  t.ok(isOpen(after('-', CONNECTION)), 'a process’s own at the first call without a connection');
  t.equal(after('+'), CLOSED, 'a success that changes nothing is not worth a write');
});

t.test('one try at a time, once the pause is over; one of which nothing is heard is given up', async (t) => {
  const open = after('-----');
  t.equal(tryInMs(CLOSED, MODELLIX, NOW), null);
  t.equal(tryInMs(open, MODELLIX, NOW), 2_000);
  t.equal(beginTry(open, MODELLIX, NOW + 1_999), null);
  const tried = beginTry(open, MODELLIX, NOW + 2_000);
  if (tried === null) throw new Error('it was due');
  t.equal(beginTry(tried, MODELLIX, NOW + 2_000 + 19_999), null);
  t.ok(beginTry(tried, MODELLIX, NOW + 2_000 + 20_000));
  t.ok(beginTry(dropTry(tried, NOW + 3_000), MODELLIX, NOW + 3_000), 'one that was not made');
  t.equal(dropTry(open, NOW), open);
  const kept = keepTry(tried, MODELLIX, NOW + 2_000 + 15_000);
  t.equal(beginTry(kept, MODELLIX, NOW + 2_000 + 20_000), null, 'one that goes on is not given up');
  t.equal(keepTry(kept, MODELLIX, NOW + 2_000 + 20_000), kept, 'which is not worth a write each time');
  t.equal(keepTry(open, MODELLIX, NOW + 2_000), open);
});

t.test('a try that fails doubles the pause; one that succeeds closes it', async (t) => {
  t.strictSame(pauses(MODELLIX, 7), [2, 4, 8, 16, 30, 30, 30]);
  t.strictSame(pauses(SUBMITS, 11), [2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900], '[A7] up to 15 minutes');
  t.equal(after('+', MODELLIX, after('-----')), CLOSED);
  t.equal(tryInMs(after('-----+-----'), MODELLIX, NOW), 2_000, 'the next outage begins with a short pause');
});

t.test('what began before it opened and fails after changes nothing', async (t) => {
  const open = after('-----');
  t.equal(after('-', MODELLIX, open), open);
});

t.test('[B8] a clock that was set back by an hour does not hold calls back for an hour', async (t) => {
  const ahead = afterFailure(after('----', MODELLIX), MODELLIX, NOW + 3_600_000, 1);
  t.equal(tryInMs(ahead, MODELLIX, NOW), 0);
  const tried = beginTry(ahead, MODELLIX, NOW);
  t.equal(tried && tryInMs(tried, MODELLIX, NOW), 20_000);
  const submits = afterFailure(after('----', SUBMITS), SUBMITS, NOW + 3_600_000, 1);
  t.equal(tryInMs(submits, SUBMITS, NOW), 0);
});

t.test('[B12] probes fit into the twentieth of the calls that is never used', async (t) => {
  const inAMinute = pauses(MODELLIX, 20).filter(
    (_, at, all) => all.slice(0, at + 1).reduce((a, b) => a + b) <= 60,
  );
  t.ok(inAMinute.length <= 5, `${inAMinute.length} in the first minute, with 100 calls allowed`);
});

t.test('replicas do not try at the same moment', async (t) => {
  const first = (random: number) =>
    tryInMs(afterFailure(after('----'), MODELLIX, NOW, random), MODELLIX, NOW);
  t.strictSame([first(0), first(0.5), first(1)], [1_500, 1_750, 2_000]);
});
