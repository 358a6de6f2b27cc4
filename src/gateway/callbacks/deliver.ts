import { type Callback, type DeliveryResult, verdictOf } from '../../domain/callbacks/callback.js';
import { told, triedEnough, webhookIdOf } from '../../domain/callbacks/delivery.js';
import type { Stored } from '../../store/store.js';
import { erase, past, postpone, write } from '../move.js';
import type { Lease } from '../origin-gate.js';
import { type Ports, storeClock } from '../ports.js';
import { messageOf } from './message.js';
import { tellingOf } from './receiver.js';

/**
 * Tells the receiver of a claimed avatar how it ended, if there is room, and writes how that went. What is lost on the
 * way, with the process or with the store, is told again under the same name.
 * @throws {StoreUnavailableError} when how it went is lost
 */
export async function deliver(ports: Ports, stored: Stored): Promise<void> {
  const { avatar, version } = stored;
  const { expiresAt, callback } = avatar;
  const id = webhookIdOf(avatar);
  if (callback === null || id === null || expiresAt === null) {
    throw new Error(`${avatar.id} has nobody to be told, or nothing to tell`);
  }
  const leftMs = expiresAt - storeClock(stored)();
  if (leftMs <= 0) return void (await erase(ports, avatar, version));
  const { origin } = new URL(callback.url);
  const grant = ports.receiverOrigins.acquire(origin);
  if ('putOffMs' in grant) await notNow(ports, stored, Math.min(grant.putOffMs, leftMs));
  else await tell(ports, stored, { id, callback, origin }, grant);
}

interface Receiver {
  readonly id: string;
  readonly callback: Callback;
  readonly origin: string;
}

async function tell(
  ports: Ports,
  stored: Stored,
  { id, callback, origin }: Receiver,
  lease: Lease,
): Promise<void> {
  const { avatar, version } = stored;
  const { url } = callback;
  const { callbacks, stopping, counts, log, random } = ports;
  const clock = storeClock(stored);
  const at = clock();
  let alive: boolean | null = null;
  let answer: DeliveryResult;
  try {
    const message = await messageOf(ports, avatar, callback, id);
    const telling = tellingOf(ports, avatar.caller, url);
    if ('not' in telling) {
      answer = { status: null, error: telling.not, retryAfterMs: null, latencyMs: 0 };
    } else {
      const { secrets } = telling;
      answer = await callbacks.send({ url, id, at, ...message, secrets });
      alive = verdictOf(answer).alive;
    }
  } finally {
    lease.release(alive);
  }
  // What was cut off because the process stops says nothing: the next process tells at once.
  if (answer.status === null && stopping.aborted) return void (await postpone(ports, stored, 0));
  const verdict = verdictOf(answer);
  const next = told(avatar, answer, verdict, { at, now: clock(), random: random() });
  const state = next.callback?.state ?? 'waiting';
  const outcome = state === 'waiting' ? 'failed' : state;
  const { status, latencyMs } = answer;
  const attempt = next.callback?.deliveries.at(-1)?.attempt;
  const fields = { avatarId: avatar.id, receiver: origin, attempt, status, latencyMs };
  counts.delivery(outcome);
  if (outcome === 'delivered') log.info(fields, 'the receiver was told');
  else log.warn({ ...fields, reason: verdict.error, outcome }, 'the receiver was not told');
  const nextAt = next.callback?.nextAt ?? null;
  const move = past(ports, next, clock());
  const retry = nextAt === null ? null : { dueInMs: Math.max(0, nextAt - clock()), silent: true };
  await write(ports, version, { ...move, ...retry });
}

/** What was tried for long enough does not wait for a receiver that is away to others, too. */
async function notNow(ports: Ports, stored: Stored, putOffMs: number): Promise<void> {
  const now = storeClock(stored)();
  const over = triedEnough(stored.avatar, now);
  if (over === null) return void (await postpone(ports, stored, putOffMs));
  ports.counts.delivery('given_up');
  ports.log.warn({ avatarId: over.id, outcome: 'given_up' }, 'the receiver was not told');
  await write(ports, stored.version, past(ports, over, now));
}
