/** The estimate: Modellix's price a second, to four decimals, halves up. */

import fc from 'fast-check';
import t from 'tap';
import type { Mode } from '../../src/domain/avatar.js';
import { costOf, estimateUsd, settledSpend } from '../../src/domain/price.js';
import { unitsIn } from '../../src/domain/spend.js';

/** Modellix's price list for kling-avatar, September 2026. */
const PRICES = { std: 0.0448, pro: 0.0896 };

t.test('the price list', async (t) => {
  const cases: Array<[Mode, number | null, number | null]> = [
    ['std', 1, 0.0448],
    ['pro', 1, 0.0896],
    ['std', 7.2, 0.3226],
    ['pro', 7.2, 0.6451],
    ['std', 2, 0.0896],
    ['std', 300, 13.44],
    ['pro', 300, 26.88],
    ['std', 0, 0],
    ['std', null, null],
    ['pro', null, null],
  ];
  for (const [mode, seconds, usd] of cases)
    t.equal(estimateUsd(PRICES, mode, seconds), usd, `${mode} ${seconds} s`);
});

t.test('halves go up, where floating point falls just short of them too', async (t) => {
  let short = 0;
  for (let units = 0.5; units < 134_400; units += 1) {
    const seconds = units / 448;
    if (448 * seconds < units) short += 1;
    const usd = estimateUsd(PRICES, 'std', seconds);
    if (usd !== (units + 0.5) / 10_000) t.fail(`${seconds} s: ${usd}`);
  }
  t.ok(short > 0, `${short} of the halves are ones that a plain Math.round would have missed`);
});

t.test('never off by more than half a hundredth of a cent, and pro is twice std', async () => {
  fc.assert(
    fc.property(fc.double({ min: 0, max: 300, noNaN: true }), (seconds) => {
      const std = estimateUsd(PRICES, 'std', seconds) ?? Number.NaN;
      const pro = estimateUsd(PRICES, 'pro', seconds) ?? Number.NaN;
      return Math.abs(std - seconds * 0.0448) <= 0.000_050_1 && Math.abs(pro - 2 * std) <= 0.000_100_1;
    }),
  );
});

t.test('a duration that cannot be is a mistake of ours, not a price', async (t) => {
  for (const seconds of [-1, Number.NaN, Number.POSITIVE_INFINITY]) {
    t.throws(() => estimateUsd(PRICES, 'std', seconds), RangeError);
  }
});

t.test('other prices, which may have more decimals than money', async (t) => {
  t.equal(estimateUsd({ std: 0.00005, pro: 0 }, 'std', 1), 0.0001);
  t.equal(estimateUsd({ std: 0.00005, pro: 0 }, 'std', 3), 0.0002);
  t.equal(estimateUsd({ std: 0.00005, pro: 0 }, 'pro', 300), 0);
  t.equal(estimateUsd({ std: 1000, pro: 0 }, 'std', 299.999), 299_999);
});

t.test('what is counted is the estimate, or that of the longest there may be', async (t) => {
  t.strictSame(costOf(PRICES, 'std', 7.2), { durationMs: 7_200, units: 322_600 });
  t.strictSame(costOf(PRICES, 'std', null), { durationMs: 300_000, units: 13_440_000 });
  t.strictSame(costOf(PRICES, 'pro', null), { durationMs: 300_000, units: 26_880_000 });
});

t.test('an amount as Modellix writes it is whole micro-dollars', async (t) => {
  const cases: Record<string, number | null> = {
    '0.2400': 240_000,
    '0.24': 240_000,
    '0': 0,
    '0.0000': 0,
    '13': 13_000_000,
    '0.000001': 1,
    '0.0000005': 1,
    '0.00000049999': 0,
    '0.2399995': 240_000,
    '1.9999999': 2_000_000,
    '0.12345678901234567890': 123_457,
    '1000': 1_000_000_000,
    '1000.000001': null,
    '999999999': null,
  };
  for (const [amount, units] of Object.entries(cases)) t.equal(unitsIn(amount), units, amount);
  for (const none of [
    '',
    '-0.24',
    '+0.24',
    '.24',
    '0.',
    '2.4e-1',
    '0,24',
    ' 0.24',
    '0.24 ',
    '$0.24',
    'NaN',
    '0x1',
  ])
    t.equal(unitsIn(none), null, none);
  fc.assert(
    fc.property(fc.nat(1_000_000_000), (units) => unitsIn((units / 1e6).toFixed(6)) === units),
    { examples: [[29], [70_057]] },
  );
});

t.test(
  'an avatar is settled by its speech, else by its video, else by its bill, else as the longest',
  async (t) => {
    const avatar = (durationSeconds: number | null) => ({
      mode: 'std' as const,
      audio: { source: 'audio_id' as const, format: null, durationSeconds, bytes: null },
      spend: { reserved: costOf(PRICES, 'std', durationSeconds), settled: null, billed: null },
    });
    const settled = (speech: number | null, video: number | null, billed: number | null) =>
      settledSpend(PRICES, avatar(speech), video, billed);
    const seconds = (length: number) => costOf(PRICES, 'std', length);
    t.match(settled(7.2, 5, null), { settled: seconds(7.2), billed: null });
    t.match(settled(7.2, 5, 240_000), { settled: seconds(7.2), billed: 240_000 });
    t.match(settled(null, 5, null), { settled: seconds(5), billed: null });
    t.match(settled(null, 5, 240_000), { settled: seconds(5), billed: 240_000 });
    t.match(settled(null, null, 224_000), { settled: { durationMs: 5000, units: 224_000 }, billed: 224_000 });
    t.match(settled(null, null, 99_000_000), { settled: { durationMs: 300_000, units: 99_000_000 } });
    t.match(settled(null, null, null), { settled: seconds(300), billed: null });
    const free = settledSpend({ std: 0, pro: 0 }, avatar(null), null, 10);
    t.match(free, { settled: { durationMs: 300_000, units: 10 } });
    t.equal(settledSpend(PRICES, { ...avatar(2), spend: null }, 2, 10), null);
  },
);
