import type { Test } from 'tap';
import type { FaultAction } from '../simulator/simulator.js';
import type { StoreName } from './cases.js';
import { isUnconfirmed, passes, Subject } from './subject.js';
import { startWorld } from './world.js';

/** A submit goes wrong before it took effect (nothing was made) or after (a task was), which nobody can tell apart. */
export type Mishap = readonly [when: 'before' | 'after', action: FaultAction];

export const beforeAndAfter = (actions: readonly FaultAction[]): Mishap[] =>
  actions.flatMap((action) => [['before', action] as const, ['after', action] as const]);

/** More in a row are taken for an outage: then one at a time is tried, and none in peace. */
const AT_ONCE = 3;

/** Each mishap leaves an avatar of its own unconfirmed, now and after the workers went on. */
export async function allUnconfirmed(
  t: Test,
  store: StoreName,
  mishaps: readonly Mishap[],
  reason: RegExp,
  { submitTimeoutMs = 10_000, body }: { submitTimeoutMs?: number; body?: object } = {},
): Promise<void> {
  const app = await startWorld(t, store, { modellix: { submitTimeoutMs } });
  const ask = body === undefined ? {} : { body };
  const all: Subject[] = [];
  let made = 0;
  for (let first = 0; first < mishaps.length; first += AT_ONCE) {
    const some = mishaps.slice(first, first + AT_ONCE);
    for (const [when, action] of some) app.simulator.inject({ on: 'submit', when, do: action });
    const subjects = await Promise.all(some.map(() => Subject.post(app, ask)));
    for (const subject of subjects) {
      t.equal(subject.status, 202);
      await isUnconfirmed(t, subject, reason);
    }
    made += some.filter(([when]) => when === 'after').length;
    t.equal(app.simulator.ledger().length, made, 'tasks made');

    await passes(app);
    all.push(...subjects);
    for (const subject of all) await isUnconfirmed(t, subject, reason);
    made += 1;
    t.equal(app.simulator.ledger().length, made, "and the bystander's");
  }
}
