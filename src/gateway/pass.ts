import type { Avatar } from '../domain/avatar.js';
import type { ApiKey } from '../modellix/api-key.js';
import type { Submission } from '../modellix/submission.js';
import { type Outlook, type Stored, StoreUnavailableError } from '../store/store.js';
import { deliver } from './deliver.js';
import { keep } from './keep.js';
import { lapsed } from './lapsed.js';
import { endOverdue, poll } from './poll.js';
import type { Ports } from './ports.js';
import { type Intent, intend, type Meant, meant, submit, withdrawIntent } from './submit.js';

/** The longest sleep: other replicas' words may be lost, and limits may have been raised. */
export const IDLE_MS = 1_000;
/** How long a task that cannot be looked at now is left alone at most, and at least. */
const OUT_OF_REACH_MS = 5_000;
const BLOCKED_MS = 250;
/** Of what needs no call, so many are taken from the store in one go. */
const CLAIMED_AT_ONCE = 64;
/** Between two tries for an avatar or a slot that another replica had first. */
const BEATEN_MS = 20;

/** What a step does: a submit, a look, or something else that needs no call to Modellix. */
export type Kind = 'submit' | 'look' | 'common';

/** What a pass needs of the one who runs it. */
export interface Crew {
  /** How many more steps of a kind may be begun now. */
  room(kind: Kind): number;
  /** Has a step done beside the pass. */
  begin(kind: Kind, about: { readonly avatar: Avatar | null }, work: () => Promise<unknown>): void;
  /** What to submit for an avatar, where it is still at hand. */
  atHand(id: string): Submission | undefined;
  /** Memory for a submission that has to be read from the store; `null` where there is none now. */
  memory(): (() => void) | null;
}

/** What came of a pass. */
export interface Passed {
  /** How long to sleep. */
  readonly sleepMs: number;
  /** Somebody took from the queue: whoever is in it still may be next. */
  readonly moved: boolean;
}

/**
 * Does what can be done now, in this order: what needs no call, submits, looks. A submit outranks a look, and
 * `domain/budget.ts` sees to it that neither starves the other.
 * @throws {StoreUnavailableError}
 */
export async function pass(ports: Ports, crew: Crew, lanes: readonly string[]): Promise<Passed> {
  const { store, limits, timing } = ports;
  await Promise.all([limits.refresh(), timing.refresh()]);
  const outlook = await store.outlook(lanes);
  timing.update(outlook, (keyId) => limits.callsPerMinute(keyId));
  const waits = await endWaits(ports, crew, outlook);
  const probed = await probe(ports, crew, outlook);
  const { sleep, moved } = await admit(ports, crew, outlook);
  const sleeps = [waits, probed, sleep, ...(await lookAll(ports, crew, outlook))];
  return { sleepMs: Math.max(0, Math.min(IDLE_MS, ...sleeps.filter((ms) => ms !== null))), moved };
}

/** How long until there is something to do for this part of a pass; `null`: nothing is in sight. */
type Sleep = number | null;

async function endWaits(ports: Ports, crew: Crew, { dueInMs }: Outlook): Promise<Sleep> {
  const room = Math.min(crew.room('common'), CLAIMED_AT_ONCE);
  if (dueInMs !== 0 || room <= 0) return dueInMs === 0 ? null : dueInMs;
  const claimed = await ports.store.claim(null, room, ports.settings.commonLeaseMs);
  for (const stored of claimed) {
    crew.begin('common', stored, () => stepOf(stored)(ports, stored));
  }
  return claimed.length === room ? 0 : null;
}

function stepOf({ avatar: { step } }: Stored) {
  if (step === 'keep') return keep;
  return step === 'deliver' ? deliver : lapsed;
}

/** Where Modellix failed again and again, one free read by one replica finds out whether it is back. */
async function probe(ports: Ports, crew: Crew, { queued, lanes }: Outlook): Promise<Sleep> {
  const { limits, keyring, modellix, log } = ports;
  const inMs = limits.nextProbeInMs();
  const key = keyring.keys().find(({ id }) => limits.isUsable(id)) ?? keyring.keys()[0];
  const wanted = queued > 0 || [...lanes.values()].some(({ slots }) => slots > 0);
  if (inMs === null || key === undefined || !wanted) return null;
  if (inMs > 0 || !(await limits.beginProbe())) return Math.max(inMs, BEATEN_MS);
  crew.begin('look', { avatar: null }, async () => {
    const ok = await modellix.probe(key);
    log.info({ ok }, 'Modellix was probed');
    await limits.endProbe(ok);
  });
  return null;
}

/** Submits from the queue what the keys have slots and calls for. */
async function admit(
  ports: Ports,
  crew: Crew,
  outlook: Outlook,
): Promise<{ readonly sleep: Sleep; readonly moved: boolean }> {
  const { limits, store } = ports;
  let { queued } = outlook;
  let sleep: Sleep = null;
  let moved = false;
  for (const { key, free, due } of keysByRoom(ports, outlook)) {
    const wanted = Math.min(free, queued, crew.room('submit'));
    if (wanted <= 0) continue;
    const rivals = { submitsWait: true, pollsWait: due > 0 };
    const { taken, waitMs } = await limits.take(key.id, 'submit', wanted, rivals);
    if (taken < wanted) sleep = Math.min(sleep ?? IDLE_MS, waitMs);
    if (taken === 0) continue;
    const first = await store.next(taken);
    moved ||= first.length > 0;
    const turns = turnsOf(crew, key, first);
    const begun = await beginAll(ports, crew, turns);
    await limits.giveBack(key.id, taken - begun);
    queued -= begun;
    // Somebody was faster, or what is first in the queue is not to be had yet. Where memory is short, whoever is done wakes us.
    const beaten = turns.length === first.length && begun < taken;
    if (beaten) sleep = Math.min(sleep ?? IDLE_MS, BEATEN_MS * (1 + ports.random()));
  }
  return { sleep, moved };
}

function keysByRoom({ keyring, limits }: Ports, { lanes }: Outlook) {
  return keyring
    .keys()
    .map((key) => {
      const { slots = 0, due = 0 } = lanes.get(key.id) ?? {};
      return { key, due, free: limits.slots(key.id) - slots };
    })
    .sort((a, b) => b.free - a.free);
}

/** An avatar whose turn it is. */
interface Turn {
  readonly meant: Meant;
  /** What to submit, where it is at hand; otherwise there is memory to read it into. */
  readonly atHand: Submission | undefined;
  readonly release: () => void;
}

/** In the order of the queue, as far as the memory goes. */
function turnsOf(crew: Crew, key: ApiKey, first: readonly Stored[]): Turn[] {
  const turns: Turn[] = [];
  for (const stored of first) {
    const atHand = crew.atHand(stored.avatar.id);
    const release = atHand === undefined ? crew.memory() : () => undefined;
    if (release === null) break;
    turns.push({ meant: meant(stored, key), atHand, release });
  }
  return turns;
}

/** Writes all the intents, and begins the submits of those that were. Returns how many. */
async function beginAll(ports: Ports, crew: Crew, turns: readonly Turn[]): Promise<number> {
  const intents = await Promise.allSettled(turns.map((turn) => intend(ports, turn.meant)));
  let begun = 0;
  for (const [i, { meant, atHand, release }] of turns.entries()) {
    const intent = intents[i] as PromiseSettledResult<Intent | null>;
    if (intent.status === 'fulfilled' && intent.value !== null) {
      const { value } = intent;
      begun += 1;
      crew.begin('submit', value, () => submit(ports, value, atHand).finally(release));
      continue;
    }
    release();
    if (intent.status === 'fulfilled') continue;
    if (intent.reason instanceof StoreUnavailableError) {
      crew.begin('submit', meant.stored, () => withdrawIntent(ports, meant));
    } else {
      // The others' intents are written: they are not to be lost with it.
      ports.log.error({ err: intent.reason, avatarId: meant.avatar.id }, 'an intent could not be written');
    }
  }
  return begun;
}

async function lookAll(ports: Ports, crew: Crew, outlook: Outlook): Promise<Sleep[]> {
  const sleeps: Sleep[] = [];
  for (const [lane, { due, dueInMs }] of outlook.lanes) {
    sleeps.push(due === 0 ? dueInMs : await look(ports, crew, lane, due, outlook));
  }
  return sleeps;
}

/** Looks at the due tasks of one key, as far as its calls reach. */
async function look(ports: Ports, crew: Crew, lane: string, due: number, outlook: Outlook): Promise<Sleep> {
  const { limits, store, settings, keyring, watched } = ports;
  const wanted = Math.min(due, crew.room('look'));
  if (wanted <= 0) return null;
  const key = keyring.get(lane);
  const submitsWait = outlook.queued > 0 && limits.slots(lane) > (outlook.lanes.get(lane)?.slots ?? 0);
  const got =
    key === null
      ? { taken: 0, waitMs: OUT_OF_REACH_MS, blocked: true }
      : await limits.take(lane, 'poll', wanted, { submitsWait, pollsWait: true });
  if (key === null || got.blocked) {
    // No longer than the pause: what is not looked at because of it is looked at when it is over.
    const leftAloneMs = Math.min(OUT_OF_REACH_MS, Math.max(BLOCKED_MS, got.waitMs));
    for (const stored of await store.claim(lane, wanted, leftAloneMs)) {
      crew.begin('look', stored, () => endOverdue(ports, stored));
    }
    return got.waitMs;
  }
  if (got.taken === 0) return got.waitMs;
  const claimed = await store.claim(lane, got.taken, settings.stepLeaseMs, watched);
  await limits.giveBack(lane, got.taken - claimed.length);
  for (const stored of claimed) crew.begin('look', stored, () => poll(ports, stored, key));
  return got.taken < wanted ? got.waitMs : null;
}
