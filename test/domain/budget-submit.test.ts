/** Looks that use all they may have do not keep a submit waiting. */

import t from 'tap';
import { newBudget, take } from '../../src/domain/budget.js';

const NOW = 1_790_000_000_123;
const LIMITS = { callsPerMinute: 100, tasks: 3 };
const ALONE = { submitsWait: false, pollsWait: true };

t.test('a look that finds a slot free is followed by a submit at once', async (t) => {
  let budget = newBudget(LIMITS);
  const late: number[] = [];
  // Looks at every moment for two minutes, and after each of them, as it were, a submit.
  for (let now = NOW; now < NOW + 120_000; now += 100) {
    budget = take(budget, 'poll', 50, now, LIMITS, ALONE).budget;
    const { taken } = take(budget, 'submit', 1, now, LIMITS, { submitsWait: true, pollsWait: true });
    if (taken === 0) late.push(now - NOW);
  }
  t.same(late, []);
});

t.test('where a minute has few calls, looks get theirs all the same', async (t) => {
  const few = { callsPerMinute: 5, tasks: 3 };
  t.equal(take(newBudget(few), 'poll', 1, NOW, few, ALONE).taken, 1);
});
