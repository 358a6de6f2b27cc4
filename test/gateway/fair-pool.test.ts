import fc from 'fast-check';
import t from 'tap';
import { FairPool, type Lease } from '../../src/gateway/intake/fair-pool.js';

t.test('[F62] who holds all it may have leaves something for everyone who comes later', async (t) => {
  const pool = new FairPool({ max: 64 });
  t.ok(pool.tryAcquire('greedy', 32), 'half of it');
  t.equal(pool.tryAcquire('greedy', 1), null);
  t.ok(pool.tryAcquire('second', 16), 'half of what is left');
  t.equal(pool.tryAcquire('second', 1), null);
  t.ok(pool.tryAcquire('third', 8));
  t.equal(pool.held, 56);
  t.equal(pool.heldBy('greedy'), 32);
  t.equal(pool.heldBy('nobody'), 0);
});

t.test('the share is of what the others leave, and grows as they leave more', async (t) => {
  const pool = new FairPool({ max: 100, share: 3 / 4 });
  const other = pool.tryAcquire('a', 60) as Lease;
  const lease = pool.tryAcquire('b', 30) as Lease;
  t.equal(lease.resize(31), false);
  t.equal(lease.amount, 30, 'nothing changed');
  other.release();
  t.equal(lease.resize(75), true);
  t.equal(lease.resize(76), false);
  t.equal(pool.held, 75);
});

t.test('what was taken is given back, once', async (t) => {
  const pool = new FairPool({ max: 10 });
  const lease = pool.tryAcquire('a', 4) as Lease;
  t.equal(lease.resize(1), true, 'some of it');
  t.equal(pool.held, 1);
  lease.release();
  lease.release();
  t.equal(lease.amount, 0);
  t.equal(pool.held, 0);
  t.equal(pool.heldBy('a'), 0);
  t.equal(lease.resize(1), false, 'it is over');
  t.equal(pool.held, 0);
});

t.test('no bound, no refusal', async (t) => {
  const pool = new FairPool({ max: Number.POSITIVE_INFINITY });
  t.ok(pool.tryAcquire('a', 1e12));
  t.ok(pool.tryAcquire('a', 1e12));
});

t.test('whatever holders do, the books are right and a newcomer finds room', async () => {
  const step = fc.record({ holder: fc.nat(4), lease: fc.nat(9), amount: fc.nat(60) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 100 }), (steps) => {
      const pool = new FairPool({ max: 100 });
      const leases: { readonly holder: string; readonly lease: Lease }[] = [];
      for (const { holder, lease, amount } of steps) {
        const one = leases[lease];
        if (one === undefined) {
          const made = pool.tryAcquire(String(holder), amount);
          if (made !== null) leases.push({ holder: String(holder), lease: made });
        } else if (amount < 10) {
          one.lease.release();
          leases.splice(lease, 1);
        } else {
          one.lease.resize(amount);
        }
        const sum = leases.reduce((sum, { lease }) => sum + lease.amount, 0);
        if (pool.held !== sum) throw new Error(`${pool.held} held, ${sum} in leases`);
        for (const name of ['0', '1', '2', '3', '4']) {
          const own = leases.filter(({ holder }) => holder === name);
          const amount = own.reduce((sum, { lease }) => sum + lease.amount, 0);
          if (pool.heldBy(name) !== amount) throw new Error(`${name} is said to hold ${pool.heldBy(name)}`);
        }
        const left = 100 - pool.held;
        if (left <= 0) throw new Error('nothing is left');
        const newcomer = pool.tryAcquire('newcomer', left / 2);
        if (newcomer === null) throw new Error('no room for a newcomer');
        newcomer.release();
      }
    }),
  );
});
