import t from 'tap';
import type { Avatar } from '../../src/domain/avatar.js';
import { type DeliveryResult, verdictOf } from '../../src/domain/callbacks/callback.js';
import { redelivery, told, triedEnough, webhookIdOf } from '../../src/domain/callbacks/delivery.js';
import { accepted, beginSubmit, failed, newAvatar, unconfirmed } from '../../src/domain/moves.js';

const NOW = 1_800_000_000_000;
const HOUR = 3_600_000;
const ENDING = { now: NOW, retentionMs: 7 * 24 * HOUR };
const FAILURE = { type: 'outcome-unknown', detail: 'd', upstreamStatus: null } as const;
const AT = { at: NOW, now: NOW, random: 0.5 };

function queued(callbackUrl: string | null = 'https://app.test/hook'): Avatar {
  const unseen = { format: null, bytes: null } as const;
  return newAvatar(
    {
      id: 'av_1',
      caller: 'c',
      idempotency: null,
      mode: 'std',
      prompt: null,
      externalId: null,
      metadata: {},
      image: { source: 'url', width: null, height: null, ...unseen },
      audio: { source: 'audio_id', durationSeconds: null, ...unseen },
      costEstimateUsd: null,
      spend: null,
      traceparent: null,
      startBy: null,
      callbackUrl,
    },
    NOW - HOUR,
  );
}

const ended = (): Avatar => failed(queued(), FAILURE, ENDING);

const answer = (status: number | null, retryAfterMs: number | null = null): DeliveryResult => ({
  status,
  error: status === null ? 'connection refused' : null,
  retryAfterMs,
  latencyMs: 7,
});

/** The avatar after one more try. */
function tried(avatar: Avatar, answer: DeliveryResult, at: Partial<typeof AT> = {}): Avatar {
  return told(avatar, answer, verdictOf(answer), { ...AT, ...at });
}

t.test('what answers mean', async (t) => {
  for (const status of [200, 201, 202, 204, 299]) {
    t.same(verdictOf(answer(status)), { kind: 'delivered', alive: true, error: null }, String(status));
  }
  for (const status of [300, 301, 302, 303, 304, 307, 308]) {
    const error = `answered ${status}, and redirects are not followed`;
    t.same(verdictOf(answer(status)), { kind: 'failed', alive: true, error });
  }
  t.match(verdictOf(answer(410)), { kind: 'unwanted', alive: true, error: /^answered 410/ });
  for (const [status, alive] of [
    [400, true],
    [401, true],
    [404, true],
    [429, false],
    [500, false],
    [503, false],
  ] as const) {
    t.same(verdictOf(answer(status)), { kind: 'failed', alive, error: `answered ${status}` });
  }
  t.same(verdictOf(answer(null)), { kind: 'failed', alive: false, error: 'connection refused' });
});

t.test('delivered at once', async (t) => {
  const avatar = tried(ended(), answer(204));
  t.match(avatar, { status: 'failed', step: 'expire', failures: 0, expiresAt: NOW + 7 * 24 * HOUR });
  t.strictSame(avatar.callback, {
    url: 'https://app.test/hook',
    taskBase: null,
    state: 'delivered',
    since: NOW,
    nextAt: null,
    deliveries: [{ attempt: 1, at: NOW, latencyMs: 7, status: 204, error: null }],
  });
  t.throws(() => tried(avatar, answer(204)), { name: 'IllegalMoveError' });
  t.throws(() => tried(queued(), answer(204)), { name: 'IllegalMoveError' }, 'before the end');
  t.throws(() => tried(failed(queued(null), FAILURE, ENDING), answer(204)), { name: 'IllegalMoveError' });
});

t.test('pauses grow, with jitter, for about a day', async (t) => {
  for (const [random, share] of [
    [0, 0.9],
    [0.5, 1],
    [0.999_999, 1.1],
  ] as const) {
    const pauses: number[] = [];
    let [avatar, now] = [ended(), NOW];
    while (avatar.callback?.state === 'waiting') {
      avatar = tried(avatar, answer(500), { at: now, now, random });
      const nextAt = avatar.callback?.nextAt ?? null;
      if (nextAt === null) break;
      pauses.push(Math.round((nextAt - now) / 1000 / share));
      now = nextAt;
    }
    t.same(pauses.slice(0, 12), [5, 30, 120, 300, 900, 1800, 3600, 7200, 10_800, 14_400, 14_400, 14_400]);
    t.ok(now - NOW > 19 * HOUR && now - NOW <= 24 * HOUR, `the last one after ${(now - NOW) / HOUR} h`);
    t.match(avatar, { step: 'expire', failures: 0, callback: { state: 'given_up', nextAt: null } });
    const deliveries = avatar.callback?.deliveries ?? [];
    t.equal(deliveries.at(-1)?.attempt, pauses.length + 1);
  }
});

t.test('what is remembered is bounded, and numbered on', async (t) => {
  let avatar = ended();
  for (let i = 0; i < 30; i++) avatar = redelivery(tried(avatar, answer(500)), NOW);
  const attempts = avatar.callback?.deliveries.map(({ attempt }) => attempt);
  t.same(
    attempts,
    Array.from({ length: 20 }, (_, i) => i + 11),
  );
});

t.test('Retry-After is the least pause, within reason', async (t) => {
  const pauseAfter = (told: DeliveryResult) => (tried(ended(), told).callback?.nextAt ?? 0) - NOW;
  t.equal(pauseAfter(answer(503, 60_000)), 60_000);
  t.equal(pauseAfter(answer(429, 60_000)), 60_000);
  t.equal(pauseAfter(answer(429, 1_000)), 5_000, 'no less than otherwise');
  t.equal(pauseAfter(answer(429, -60_000)), 5_000, 'in the past');
  t.equal(pauseAfter(answer(503, 30 * 24 * HOUR)), 6 * HOUR, 'capped');
  t.equal(pauseAfter(answer(500, 60_000)), 5_000, 'of a 500 it is not heard');
  const late = { at: NOW + 20 * HOUR, now: NOW + 20 * HOUR };
  t.match(tried(ended(), answer(503, 6 * HOUR), late).callback, { state: 'given_up' }, 'past the day');
});

t.test('410 ends it at once', async (t) => {
  t.match(tried(ended(), answer(410)), { step: 'expire', callback: { state: 'given_up', nextAt: null } });
});

t.test('never beyond the end of the record', async (t) => {
  const short = failed(queued(), FAILURE, { now: NOW, retentionMs: 5_001 });
  t.match(tried(short, answer(500)).callback, { state: 'waiting', nextAt: NOW + 5_000 });
  t.match(tried(short, answer(500), { now: NOW + 1 }).callback, { state: 'given_up' });
});

t.test('a first try is made however late it comes', async (t) => {
  const late = NOW + 48 * HOUR;
  t.equal(triedEnough(ended(), late), null);
  t.match(tried(ended(), answer(200), { at: late, now: late }).callback, { state: 'delivered' });
  const once = tried(ended(), answer(500));
  t.equal(triedEnough(once, NOW + 24 * HOUR), null);
  t.match(triedEnough(once, NOW + 24 * HOUR + 1), { step: 'expire', callback: { state: 'given_up' } });
});

t.test('asked for again', async (t) => {
  const given = tried(ended(), answer(410));
  const again = redelivery(given, NOW + HOUR);
  t.match(again, {
    step: 'deliver',
    failures: 0,
    callback: { state: 'waiting', since: NOW + HOUR, nextAt: null, deliveries: [{ attempt: 1 }] },
  });
  t.equal(webhookIdOf(again), webhookIdOf(given), 'under the same name');
  t.equal(tried(again, answer(200)).callback?.deliveries.at(-1)?.attempt, 2);
  const waiting = redelivery(tried(ended(), answer(503, HOUR)), NOW + 1);
  t.match(waiting.callback, { since: NOW + 1, nextAt: null }, 'at once, whatever the receiver had asked for');
  t.throws(() => redelivery(queued(), NOW), { name: 'IllegalMoveError' });
  t.throws(() => redelivery(failed(queued(null), FAILURE, ENDING), NOW), { name: 'IllegalMoveError' });
  const kept: Avatar = { ...ended(), step: 'keep' };
  t.equal(redelivery(kept, NOW), kept, 'what is told anyway, once its video is kept');
});

t.test('a later end of the same avatar is told under another name', async (t) => {
  t.equal(webhookIdOf(queued()), null);
  const doubted = unconfirmed(beginSubmit(queued(), 'key', 'intent'), FAILURE, ENDING);
  t.equal(webhookIdOf(doubted), `av_1_${NOW}`);
  const toldOf = tried(doubted, answer(200));
  const on = accepted(toldOf, 'task', NOW + 1);
  t.match(on.callback, { state: 'waiting', since: null, nextAt: null, deliveries: [{ attempt: 1 }] });
  const again = failed(on, FAILURE, { ...ENDING, now: NOW + 2 });
  t.match(again, { step: 'deliver', callback: { state: 'waiting', since: NOW + 2 } });
  t.equal(webhookIdOf(again), `av_1_${NOW + 2}`);
});
