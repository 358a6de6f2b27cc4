import t from 'tap';
import type { Mode, Status } from '../../src/domain/avatar.js';
import { Bills } from '../../src/gateway/spend/bills.js';
import { avatarOf } from '../store/fixtures.js';
import { COUNTS } from './world.js';

const HOUR_MS = 3_600_000;
const PRICE = 100_000;

function billsAt(clock: { now: number }) {
  const bills = new Bills(() => clock.now);
  const said: object[] = [];
  const moved: Mode[] = [];
  const log = { info() {}, warn: (fields: object) => void said.push(fields), error() {} };
  const counts = { ...COUNTS, priceMoved: (mode: Mode) => void moved.push(mode) };
  const note = (billed: number | null, mode: Mode = 'std', status: Status = 'succeeded') => {
    const cost = { durationMs: 2000, units: PRICE };
    const spend = { reserved: cost, settled: cost, billed };
    bills.note({ log, counts }, avatarOf({ mode, status, spend }), { billed });
  };
  return { bills, said, moved, note, ports: { log, counts } };
}

t.test('a price that has moved by more than 5 % is told of once an hour, by mode', async (t) => {
  const clock = { now: 0 };
  const { said, moved, note } = billsAt(clock);
  for (const same of [PRICE, PRICE * 1.05, PRICE * 0.95, null]) note(same);
  t.same(said, []);
  note(PRICE * 1.06);
  note(PRICE * 2);
  note(PRICE * 0.94, 'pro');
  t.same(said, [
    { mode: 'std', billedUsd: 0.106, estimatedUsd: 0.1 },
    { mode: 'pro', billedUsd: 0.094, estimatedUsd: 0.1 },
  ]);
  clock.now = HOUR_MS - 1;
  note(PRICE * 1.06);
  t.equal(said.length, 2);
  clock.now = HOUR_MS;
  note(0);
  t.same(said[2], { mode: 'std', billedUsd: 0, estimatedUsd: 0.1 });
  t.same(moved, ['std', 'pro', 'std']);
});

t.test('what was billed for a failed task says nothing of the price', async (t) => {
  const { said, note } = billsAt({ now: 0 });
  note(PRICE * 2, 'std', 'failed');
  t.same(said, []);
});

t.test('a bill that is no amount is told of once an hour, of a failed task too', async (t) => {
  const clock = { now: 0 };
  const { bills, said, ports } = billsAt(clock);
  const unusable = (word: string) =>
    bills.note(ports, avatarOf({ status: 'failed' }), { billed: null, unusableBill: word });
  unusable('one');
  unusable('two');
  clock.now = HOUR_MS;
  unusable('three');
  t.same(said, [{ word: 'one' }, { word: 'three' }]);
});
