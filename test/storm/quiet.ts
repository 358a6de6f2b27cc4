/** After the storm: all is up and well, everything comes to its end, and the books are compared. */

import { type Avatar, isFinal } from '../../src/domain/avatar.js';
import type { AvatarView } from '../../src/http/schemas/avatar.js';
import { until } from '../support/until.js';
import type { Book } from './book.js';
import { type Cast, PREFIX } from './cast.js';
import { reckon } from './invariants.js';
import type { LedgerTail } from './ledger.js';
import { send } from './send.js';
import { recordsInRedis, recordsInSqlite } from './stored.js';
import type { Watchers } from './watchers.js';

/** Above the longest pause after failures (a minute) and the time a task that never ends is given (another). */
const PATIENCE_MS = 180_000;
const ROUNDS = 5;

export interface Quiet {
  readonly cast: Cast;
  readonly book: Book;
  readonly watchers: Watchers;
  readonly tail: LedgerTail;
  readonly stop: AbortSignal;
}

export interface Reckoned {
  /** As the storm left them. */
  readonly stored: readonly Avatar[];
  /** How many an operator then resolved. */
  readonly resolved: number;
}

export async function reckonWhenQuiet(quiet: Quiet): Promise<Reckoned> {
  const stored = await settled(quiet);
  const doubtful = stored.filter(({ status }) => status === 'unconfirmed');
  await startAll(quiet.cast);
  for (const avatar of doubtful) await operate(quiet, avatar);
  const { book } = quiet;
  for (const { id, status, prompt } of await settled(quiet)) {
    const ask = book.asks.get(prompt ?? '');
    book.checkOf(ask, 'I4', status !== 'unconfirmed', () => `${id} is unconfirmed though it was resolved`);
  }
  const spooled = await quiet.cast.spooled();
  book.check('other', spooled.length === 0, () => `answers are left in a spool: ${spooled}`);
  return { stored, resolved: doubtful.length };
}

/** Every record once all of them are final, those included that nobody was told of. The gateways have ended then. */
async function settled(quiet: Quiet): Promise<Avatar[]> {
  const { cast, book, watchers, tail, stop } = quiet;
  let stored: Avatar[] = [];
  for (let round = 1; round <= ROUNDS; round += 1) {
    await startAll(cast);
    await allFinal(quiet);
    await watchers.lookAtAll(stop);
    await endAll(quiet);
    stored = await records(cast);
    const open = stored.filter(({ status }) => !isFinal(status));
    if (open.length === 0 || stop.aborted) break;
    await startAll(cast);
    for (const { id } of open) await Promise.all(cast.members.map((member) => watchers.look(id, member)));
  }
  await tail.catchUp();
  reckon(book, stored, await cast.control.endless());
  return stored;
}

async function allFinal({ book, stop }: Quiet): Promise<void> {
  const open = () => [...book.sightings.values()].filter(({ final, lost }) => final === null && !lost);
  await until('all avatars are final', async () => (stop.aborted || open().length === 0 ? true : null), {
    withinMs: PATIENCE_MS,
  }).catch(() => {
    const ids = open().map(({ id }) => id);
    book.check('I3', false, () => `not final ${PATIENCE_MS / 1000} s after the storm: ${ids.join(', ')}`);
  });
}

async function startAll({ members }: Cast): Promise<void> {
  await Promise.all(members.map((member) => member.start()));
}

async function endAll({ cast, book }: Quiet): Promise<void> {
  for (const member of cast.members) {
    const code = await member.end('SIGTERM');
    book.check('other', code === 0, () => `${member.name} ended with ${code} when told to stop`);
  }
}

async function records({ redis, members }: Cast): Promise<Avatar[]> {
  if (redis !== null) return recordsInRedis(redis.url, PREFIX);
  return (await Promise.all(members.map(({ dataDir }) => recordsInSqlite(dataDir)))).flat();
}

/** Ends the doubt with what the vendor's console, which is the ledger, says. */
async function operate({ book, cast, stop }: Quiet, { id, prompt }: Avatar): Promise<void> {
  if (stop.aborted) return;
  const [task] = book.ledger.get(prompt ?? '') ?? [];
  const finding = task === undefined ? { made: false } : { task_id: task.taskId };
  const sentAt = performance.now();
  const reply = await send(`${cast.members[0]?.url}/avatars/${id}/resolve`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(finding),
  });
  book.checkOf(
    book.asks.get(prompt ?? ''),
    'I4',
    reply.status === 200,
    () => `${id} could not be resolved: ${JSON.stringify(reply.body)}`,
  );
  if (reply.status === 200) book.seen(reply.body as AvatarView, { sentAt, receivedAt: performance.now() });
}
