import t, { type Test } from 'tap';
import { type Grant, type Lease, OriginGate, RECEIVER_ROOM } from '../../src/gateway/origin-gate.js';

const DEAD = 'https://dead.test';
const FINE = 'https://fine.test';

/** A gate at a time that stands still until it is put forward. */
function standing(t: Test, random = 0) {
  let now = Math.round(performance.now());
  t.intercept(performance, 'now', { value: () => now, configurable: true });
  const stop = new AbortController();
  const pass = (ms: number) => {
    now += ms;
  };
  return { gate: new OriginGate(() => random, stop.signal, RECEIVER_ROOM), pass, stop };
}

const isLease = (grant: Grant): grant is Lease => 'release' in grant;

function acquire(gate: OriginGate, origin: string): Lease {
  const grant = gate.acquire(origin);
  if (!isLease(grant)) throw new Error(`${origin} may not be tried: ${JSON.stringify(grant)}`);
  return grant;
}

function several(gate: OriginGate, origin: string, count: number): Lease[] {
  return Array.from({ length: count }, () => acquire(gate, origin));
}

function putOff(grant: Grant): number {
  if (isLease(grant)) throw new Error('it is not put off');
  return grant.putOffMs;
}

/** Has so many tries in a row fail. */
function fail(gate: OriginGate, origin: string, count: number): void {
  for (let i = 0; i < count; i++) acquire(gate, origin).release(false);
}

t.test('eight at once to one receiver, and the others are not held up', async (t) => {
  const { gate, pass } = standing(t);
  const taken = several(gate, DEAD, 8);
  const putOffMs = putOff(gate.acquire(DEAD));
  t.ok(putOffMs >= 250, `the ninth is put off for ${putOffMs} ms`);
  several(gate, FINE, 8);
  pass(putOffMs);
  t.ok(putOff(gate.acquire(DEAD)) >= 250, 'and again, while there is no room');
  taken[3]?.release(true);
  t.ok(isLease(gate.acquire(DEAD)), 'whoever comes back then is next');
});

t.test('128 at once to all', async (t) => {
  const { gate } = standing(t);
  const taken = Array.from({ length: 128 }, (_, i) => acquire(gate, `https://${i % 16}.test`));
  t.ok(putOff(gate.acquire(FINE)) >= 250);
  taken[0]?.release(true);
  t.ok(isLease(gate.acquire(FINE)));
});

t.test('what finds no room comes back one behind the other', async (t) => {
  const { gate, pass } = standing(t);
  const first = several(gate, DEAD, 8);
  pass(3_500);
  for (const each of first) each.release(true);
  several(gate, DEAD, 8);
  const comes = Array.from({ length: 1000 }, () => putOff(gate.acquire(DEAD)));
  t.same(
    comes,
    [...comes].sort((a, b) => a - b),
  );
  t.ok((comes[0] ?? 0) >= 250);
  t.ok((comes[999] ?? 0) > 60_000, 'a thousand, by some three seconds and eight at once, take minutes');
  for (let i = 0; i < 10_000; i++) putOff(gate.acquire(DEAD));
  t.ok(putOff(gate.acquire(DEAD)) <= 300_000, 'none later than in five minutes');
  t.ok(isLease(gate.acquire(FINE)));
});

t.test('five failures in a row, and a receiver is left alone, longer each time', async (t) => {
  const { gate, pass } = standing(t);
  fail(gate, DEAD, 4);
  acquire(gate, DEAD).release(true);
  fail(gate, DEAD, 4);
  t.ok(isLease(gate.acquire(DEAD)), 'not in a row');
  acquire(gate, DEAD).release(null);
  acquire(gate, DEAD).release(false);
  const rests: number[] = [];
  for (let i = 0; i < 9; i++) {
    const restMs = putOff(gate.acquire(DEAD));
    rests.push(restMs);
    pass(restMs - 1);
    t.equal(putOff(gate.acquire(DEAD)), 5_000);
    pass(1);
    const probe = acquire(gate, DEAD);
    t.equal(putOff(gate.acquire(DEAD)), 5_000, 'one finds out for all');
    probe.release(false);
  }
  t.same(rests, [5_000, 10_000, 20_000, 40_000, 80_000, 160_000, 300_000, 300_000, 300_000]);
  pass(300_000);
  acquire(gate, DEAD).release(true);
  several(gate, DEAD, 7);
  t.pass('it is back, for all of them');
  t.ok(isLease(gate.acquire(FINE)));
});

t.test('what fails together counts once', async (t) => {
  const { gate, pass } = standing(t);
  const taken = several(gate, DEAD, 8);
  for (const each of taken.slice(0, 5)) each.release(false);
  t.equal(putOff(gate.acquire(DEAD)), 5_000);
  for (const each of taken.slice(5)) each.release(false);
  t.equal(putOff(gate.acquire(DEAD)), 5_000, 'the rest is no longer for it');
  pass(5_000);
  acquire(gate, DEAD).release(true);
  t.ok(isLease(gate.acquire(DEAD)));
});

t.test('jitter spreads what is put off', async (t) => {
  const { gate } = standing(t, 0.999);
  fail(gate, DEAD, 5);
  const putOffMs = putOff(gate.acquire(DEAD));
  t.ok(putOffMs > 6_000 && putOffMs <= 6_250, String(putOffMs));
});

t.test('at a stop nobody is tried', async (t) => {
  const { gate, stop } = standing(t);
  const taken = several(gate, DEAD, 8);
  stop.abort();
  t.same(gate.acquire(FINE), { putOffMs: 0 });
  for (const each of taken) each.release(null);
});

t.test('what is known is bounded', async (t) => {
  const { gate } = standing(t);
  const busy = acquire(gate, 'https://busy.test');
  fail(gate, DEAD, 5);
  for (let i = 0; i < 2_000; i++) acquire(gate, `https://${i}.test`).release(true);
  t.ok(isLease(gate.acquire(DEAD)), 'the one that was used longest ago is forgotten');
  busy.release(false);
  fail(gate, 'https://busy.test', 4);
  t.equal(putOff(gate.acquire('https://busy.test')), 5_000, 'one that is at work is not');
});
