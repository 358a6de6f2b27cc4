import type { Test } from 'tap';
import type { FaultAction } from '../simulator/simulator.js';
import type { StoreName } from './cases.js';
import { isUnconfirmed, passes, Subject } from './subject.js';
import { startWorld } from './world.js';

/** A submit goes wrong before it took effect (nothing was made) or after (a task was), which nobody can tell apart. */
export type Mishap = readonly [when: 'before' | 'after', action: FaultAction];

export const beforeAndAfter = (actions: readonly FaultAction[]): Mishap[] =>
  actions.flatMap((action) => [['before', action] as const, ['after', action] as const]);

/** Each mishap leaves an avatar of its own unconfirmed, now and after the workers went on. */
export async function allUnconfirmed(
  t: Test,
  store: StoreName,
  mishaps: readonly Mishap[],
  reason: RegExp,
  { submitTimeoutMs = 10_000, body }: { submitTimeoutMs?: number; body?: object } = {},
): Promise<void> {
  const app = await startWorld(t, store, { modellix: { submitTimeoutMs } });
  for (const [when, action] of mishaps) app.simulator.inject({ on: 'submit', when, do: action });
  const ask = body === undefined ? {} : { body };
  const subjects = await Promise.all(mishaps.map(() => Subject.post(app, ask)));
  for (const subject of subjects) {
    t.equal(subject.status, 202);
    await isUnconfirmed(t, subject, reason);
  }
  const made = mishaps.filter(([when]) => when === 'after').length;
  t.equal(app.simulator.ledger().length, made, 'tasks made');

  await passes(app);
  for (const subject of subjects) await isUnconfirmed(t, subject, reason);
  t.equal(app.simulator.ledger().length, made + 1, "and the bystander's");
}
