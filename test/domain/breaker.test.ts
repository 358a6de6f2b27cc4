/** The breaker: opens after failures in a row, lets one probe through at a time, and closes on a good one. */

import t from 'tap';
import {
  afterCall,
  afterProbe,
  type Breaker,
  beginProbe,
  type CallResult,
  closedBreaker,
  mayCall,
  nextProbeInMs,
} from '../../src/domain/breaker.js';

const NOW = 1_790_000_000_000;

const RESULTS: Readonly<Record<string, CallResult>> = { '+': 'ok', '-': 'failed', x: 'unreachable' };

function after(results: string, from: Breaker = closedBreaker()): Breaker {
  return [...results].reduce(
    (breaker, result) => afterCall(breaker, RESULTS[result] ?? 'failed', NOW, 1),
    from,
  );
}

t.test('it opens at the fifth failure in a row, and not where one call in between succeeded', async (t) => {
  t.ok(mayCall(after('----')));
  t.ok(mayCall(after('----+----')));
  t.notOk(mayCall(after('----+-----')));
});

t.test('it opens at the first submit that there was no connection for', async (t) => {
  t.notOk(mayCall(after('x')));
  t.notOk(mayCall(after('++-x')));
});

t.test('one probe at a time, once the pause is over; a lease that ran out frees it', async (t) => {
  const open = after('-----');
  const inMs = nextProbeInMs(open, NOW) ?? 0;
  t.equal(inMs, 2_000);
  t.equal(beginProbe(open, NOW + inMs - 1, 20_000), null);
  const probed = beginProbe(open, NOW + inMs, 20_000);
  if (probed === null) throw new Error('the probe was due');
  t.notOk(mayCall(probed), 'only the probe passes');
  t.equal(beginProbe(probed, NOW + inMs + 19_999, 20_000), null);
  t.ok(beginProbe(probed, NOW + inMs + 20_000, 20_000));
});

t.test('a good probe closes it; a bad one doubles the pause, up to half a minute', async (t) => {
  let breaker = after('-----');
  const pauses: Array<number | null> = [];
  for (let i = 0; i < 7; i++) {
    pauses.push(nextProbeInMs(breaker, NOW));
    breaker = afterProbe(breaker, false, NOW, 1);
  }
  t.strictSame(pauses, [2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000]);
  const closed = afterProbe(breaker, true, NOW, 1);
  t.ok(mayCall(closed));
  t.equal(nextProbeInMs(closed, NOW), null);
  t.equal(nextProbeInMs(after('-----', closed), NOW), 2_000, 'and the next outage begins with a short pause');
});

t.test('what began before it opened and ends after, well or badly, changes nothing', async (t) => {
  const open = after('-----');
  t.equal(after('+', open), open);
  t.equal(after('-', open), open);
  t.equal(afterProbe(closedBreaker(), false, NOW, 0), closedBreaker(), 'a probe that came second');
});

t.test('replicas do not probe at the same moment', async (t) => {
  const first = (random: number) => {
    const open = Array.from({ length: 5 }).reduce<Breaker>(
      (b) => afterCall(b, 'failed', NOW, random),
      closedBreaker(),
    );
    return nextProbeInMs(open, NOW);
  };
  t.strictSame([first(0), first(0.5), first(1)], [1_500, 1_750, 2_000]);
});
