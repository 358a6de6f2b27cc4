/** Whether pushes arrive, as tasks that ended tell. */

import t from 'tap';
import { afterEnd, NO_PUSHES, type PushArrivals } from '../../src/domain/limits/pushes.js';

const after = (ends: readonly boolean[], from: PushArrivals = NO_PUSHES) =>
  ends.reduce((known, byPush) => afterEnd(known, byPush), from);

const [push, poll] = [true, false];
const ARRIVE: PushArrivals = { arrive: true, against: 0 };

t.test('two ends in a row are believed, one is not', async (t) => {
  t.strictSame(after([push]), { arrive: false, against: 1 });
  t.strictSame(after([push, push]), ARRIVE);
  t.strictSame(after([push, poll, push]), { arrive: false, against: 1 });
  t.strictSame(after([poll], ARRIVE), { arrive: true, against: 1 });
  t.strictSame(after([poll, push, poll], ARRIVE), { arrive: true, against: 1 });
  t.strictSame(after([poll, poll], ARRIVE), NO_PUSHES);
});

t.test('what is no news is written nowhere', async (t) => {
  t.equal(after([poll, poll]), NO_PUSHES);
  t.equal(after([push, push], ARRIVE), ARRIVE);
});
