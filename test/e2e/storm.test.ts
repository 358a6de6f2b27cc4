/** A short storm on each store. The long ones: `npm run storm`. */

import t from 'tap';
import { reportOf } from '../storm/report.js';
import { type StormOptions, storm } from '../storm/storm.js';

t.setTimeout(600_000);

const COMMON = {
  seed: 9,
  durationMs: 7_000,
  callers: 8,
  thinkMs: 300,
  killsPerMinute: 40,
  keepLogs: null,
} satisfies Partial<StormOptions>;

const STORMS: readonly StormOptions[] = [
  { ...COMMON, store: 'embedded', gateways: 1 },
  { ...COMMON, store: 'redis', gateways: 2 },
  { ...COMMON, store: 'redis-snapshots', gateways: 2 },
];

for (const options of STORMS) {
  t.test(`${options.store}: a short storm violates no invariant`, async (t) => {
    const result = await storm(options);
    const { book, chaos, callers } = result;
    for (const { invariant, detail } of book.violations) t.fail(`${invariant}: ${detail}`);
    if (book.violations.length > 0) t.comment(reportOf(result));
    t.ok(chaos.done.of('kill a gateway') > 0, 'gateways were killed');
    t.ok(callers.answers.of('202') > 0, 'avatars were accepted');
    t.ok(book.ledger.size > 0, 'submits were paid for');
    const stored = result.reckoned?.stored.length ?? 0;
    if (options.store === 'redis-snapshots') t.ok(stored > 0, 'what the store did not lose is there');
    else t.ok(stored >= book.ledger.size, 'and each has its avatar in the store');
  });
}
