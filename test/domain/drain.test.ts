/** How fast the queue drains, from the submits that were seen. */

import t from 'tap';
import { admitted, type Drain, newDrain, retryAfterMs, startInMs } from '../../src/domain/limits/drain.js';

const NOW = 1_790_000_000_000;

/** After submits at these seconds of avatars that had waited all the while. */
function drainOf(...seconds: number[]): Drain {
  return seconds.reduce((drain, s) => left(drain, NOW + s * 1_000), newDrain());
}

function left(drain: Drain, now: number): Drain {
  return admitted(drain, NOW, now);
}

t.test('nothing is known before there were two', async (t) => {
  t.equal(startInMs(newDrain(), 0, NOW), null);
  t.equal(startInMs(drainOf(0), 0, NOW), null);
  t.equal(retryAfterMs(newDrain(), NOW), 30_000);
});

t.test('one every 30 s: the tenth in the queue waits for about five minutes', async (t) => {
  const drain = drainOf(0, 30, 60, 90, 120);
  const now = NOW + 120_000;
  t.equal(startInMs(drain, 0, now), 30_000);
  t.equal(startInMs(drain, 9, now), 300_000);
  t.equal(startInMs(drain, 9, now + 10_000), 290_000);
});

t.test('three at once every 90 s are one every 30 s', async (t) => {
  const drain = drainOf(...[0, 90, 180, 270, 360].flatMap((s) => [s, s, s]));
  const gapMs = startInMs(drain, 0, NOW + 360_000) ?? 0;
  t.ok(gapMs > 20_000 && gapMs < 40_000, `${gapMs}`);
});

t.test('an empty queue is not a slow one', async (t) => {
  const busy = drainOf(0, 30, 60, 90, 120);
  const now = NOW + 90_000_000;
  const next = admitted(busy, now - 5, now);
  t.equal(startInMs(next, 9, now), startInMs(busy, 9, NOW + 120_000));
  t.equal(startInMs(left(next, now + 60_000), 0, now + 60_000), 36_000, 'the next one waited');
});

t.test('it follows when the queue gets slower or faster', async (t) => {
  const slow = drainOf(0, 1, 2, 3, ...Array.from({ length: 60 }, (_, i) => 3 + 240 * (i + 1)));
  const atSlow = NOW + (3 + 240 * 60) * 1_000;
  t.ok((startInMs(slow, 0, atSlow) ?? 0) > 200_000);
  const fast = Array.from({ length: 60 }, (_, i) => atSlow + (i + 1) * 2_000).reduce(left, slow);
  t.ok((startInMs(fast, 0, atSlow + 120_000) ?? 0) < 4_000);
});

t.test('where submits stop, the wait grows and is never said to be over', async (t) => {
  const drain = drainOf(0, 30, 60);
  const waits = [0, 60, 600, 3_600].map((s) => startInMs(drain, 0, NOW + (60 + s) * 1_000) ?? 0);
  t.ok(
    waits.every((ms) => ms >= 15_000),
    `${waits}`,
  );
  t.ok((waits[3] ?? 0) > (waits[1] ?? 0), `${waits}`);
});

t.test('when to come back to a full queue: from a second to ten minutes', async (t) => {
  t.equal(retryAfterMs(drainOf(0, 0, 0), NOW), 1_000);
  t.equal(retryAfterMs(drainOf(0, 30), NOW + 86_400_000), 600_000);
  t.equal(retryAfterMs(drainOf(0, 30, 60), NOW + 60_000), 30_000);
});

t.test('a clock that steps back does no harm', async (t) => {
  const drain = admitted(drainOf(0, 30), NOW - 3_600_001, NOW - 3_600_000);
  t.ok((startInMs(drain, 0, NOW - 3_600_000) ?? -1) >= 0);
});
