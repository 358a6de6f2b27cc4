/** Slots of a team that others use, too: what is free is used, and few submits are refused. */

import t from 'tap';
import { play, type Rivals } from './rivals.js';

const MINUTE = 60_000;

/** One more or one less every quarter of a minute. */
function walk(): Rivals {
  let [held, at] = [6, 0];
  return (ms, random) => {
    if (ms - at >= MINUTE / 4) {
      at = ms;
      const step = random();
      held = Math.max(0, Math.min(15, held + (step < 0.34 ? -1 : step < 0.67 ? 0 : 1)));
    }
    return held;
  };
}

const SCENES: Readonly<Record<string, Rivals>> = {
  'half of them, all the time': () => 10,
  'nearly all of them, every other quarter of an hour': (ms) =>
    Math.floor(ms / (15 * MINUTE)) % 2 === 0 ? 0 : 18,
  'most of them, every other five minutes': (ms) => (Math.floor(ms / (5 * MINUTE)) % 2 === 0 ? 0 : 15),
  'in waves': (ms) => Math.round(6 + 5 * Math.sin(ms / MINUTE / 3)),
  'one more or less at a time': walk(),
};

for (const [words, rivals] of Object.entries(SCENES)) {
  t.test(`[F58] others use ${words}`, async (t) => {
    for (const slots of [20, 3]) {
      const { used, refusedAMinute } = play(slots, 120, (ms, random) =>
        Math.round((rivals(ms, random) * slots) / 20),
      );
      t.ok(used >= 0.9, `${slots} slots: ${used.toFixed(3)} of what is free is used`);
      t.ok(refusedAMinute <= 1.7, `${slots} slots: ${refusedAMinute.toFixed(2)} refused a minute`);
    }
  });
}

t.test('[F58] nobody else: all of them, and none refused', async (t) => {
  t.match(
    play(20, 60, () => 0),
    { refusedAMinute: 0 },
  );
  t.ok(play(20, 60, () => 0).used >= 0.98);
});
