/** The list of faults that this folder shows, each through the whole gateway and against the books of the simulator. */

import type { Test } from 'tap';

export type StoreName = 'embedded' | 'redis';
export type Theme = keyof typeof THEMES;

/** Shows one case on one store. */
export type Show = (t: Test, store: StoreName) => Promise<void>;

/**
 * U: the avatar becomes `unconfirmed`, and no second POST leaves. What Redis is configured as (26), how it
 * waits for copies (49) and where its name leads (50) is shown in test/store. */
const THEMES = {
  upstream: {
    1: 'submit times out after bytes were sent -> U',
    2: 'connection reset before, during and after the response head -> U (before the first byte was sent: queued again)',
    3: 'submit answered 500, 502, 503, 504 -> U',
    4: 'submit answered 408, 409, 425 -> U',
    5: 'submit answered 429, with and without reset headers -> queued again, and waits as told',
    6: "submit answered 400, 404, 413, 415, 422 -> failed, the vendor's words in the problem",
    7: 'submit answered 401, 402 -> failed with what to do',
    8: '2xx not JSON, cut short, over the size limit, code not 0, no task_id -> U',
    9: '3xx -> not followed, U',
    10: 'a task_id that another avatar already owns -> U and an alert in the log',
    15: 'final, then processing again -> ignored; final states never change',
    16: 'never finishes -> timed_out, task id kept',
    17: 'success without a resource -> failed, saying so',
    18: 'the video host is slow, resets, or answers 403/404 -> 502/503, the avatar stays succeeded',
  },
  store: {
    19: 'Redis down at start -> alive, not ready, comes up by itself when Redis does',
    20: 'Redis down at accept -> 503 with Retry-After, nothing half-made',
    21: 'Redis lost between the intent and the answer -> one POST, the answer spooled and replayed',
    22: 'Redis restarted empty -> nothing is sent twice',
    23: "a script's reply lost and the script sent again -> same result",
    24: 'scripts flushed (NOSCRIPT) -> loaded again, nobody notices',
    25: 'OOM, READONLY, BUSY, LOADING -> 503 or a pause; no POST without a stored intent',
    27: 'a corrupt record -> quarantined; the others go on',
    28: 'disk full, read-only data directory -> 503, no POST, no corruption',
    29: 'the embedded store opened by a second process -> refused with a clear line',
  },
  remembered: {
    47: '[A1] [F47] the store comes back older while the process lives -> what this process sent is not sent again: U; a roll-back is noticed and said',
    48: "[A2] [F48] a byte of the embedded store's files is wrong -> found at the start and said, or harmless; never a second POST",
    51: '[B7] [F51] a record that was quarantined -> costs its caller nothing more; its key answers a problem',
    52: '[B6] [F52] reads of one caller stay bounded: no filter reads more than about a thousand entries',
    59: '[B1] [F59] an avatar that leaves the queue unsubmitted gives its turn back: canceling 300 costs the next one nothing',
  },
  process: {
    30: 'kill -9 before the POST, during it, after the answer, before and after the write -> promise 1 and 2 hold',
    31: 'SIGTERM under load -> not ready, no new work claimed, answers finished, exit 0 inside the grace',
    32: 'the event loop stalls past a lease -> the old fence is refused',
    33: 'two replicas claim at once -> one wins',
    34: 'an exception nobody caught -> logged, exit 1, recovery as after a kill',
    35: 'a record written by a newer version -> left untouched',
    36: 'replica clocks an hour apart -> due times hold',
    60: '[F60] whoever read stdout or stderr is gone -> SIGTERM ends the process inside the grace; logging never ends or blocks it',
    61: "[F61] a second gateway, an old or a new release, on the same store or folder -> files and records that are not this release's own are left alone",
  },
  /** On Redis with three replicas, on the embedded store with the one process it allows. */
  limits: {
    5: 'submit answered 429, with and without reset headers -> queued again, all replicas wait as told',
    7: 'submit answered 401, 402 -> that key rests; queued again if another key can take it, else failed with what to do',
    11: 'poll 429 -> the shared budget pauses; a reset time far in the future or the past is clamped',
    12: 'poll 5xx, time-out, rubbish -> tried again with growing pauses until the deadline',
    13: 'poll 404 soon after accept -> tolerated for a minute; later -> failed',
    14: 'a status word never seen -> treated as unfinished, counted in a metric',
    16: 'never finishes -> timed_out, task id kept, slot freed',
    24: 'scripts flushed (NOSCRIPT) -> loaded again, nobody notices',
    33: 'two replicas claim at once -> one wins',
    36: 'replica clocks an hour apart -> budgets and due times hold',
    41: 'queue full (count or bytes) -> 429/503 with Retry-After, nothing lost',
  },
  halves: {
    53: '[A7] [F53] submits fail, polls work (and the other way round) -> at most a handful become U before one at a time is tried',
    54: '[B3] [F54] one replica has no way out -> it alone stops; the others go on',
    55: "[B4] [B5] [F55] one task's poll is answered 401, 403 or 404 -> tried again; one task's refusal never rests the key",
    56: '[A5] [F56] a replica without a key beside one that has it -> the task is polled as often, and is never ended by the one that cannot poll',
    57: '[A6] [F57] Modellix was away beyond the deadline -> polled once more before timed_out; a timed_out one can be resolved',
  },
  callers: {
    37: 'the caller hangs up during submit -> the avatar goes on, the same key finds it',
    38: 'one key, 100 requests at once -> one avatar',
    62: '[F62] one caller takes all there is of something (memory by slow uploads, places to wait, streams) -> others are served all the same',
    63: '[F63] a stream outlives the key it was opened with (removed, no admin any more) -> ended within seconds',
    64: '[F64] a reader who has read everything is never cut off, however much comes at once',
    65: '[F65] a page of another origin, or a rebound name, wherever no key is asked for -> 403',
    66: '[F66] a forwarded address with a port, in brackets, from two proxies -> the same address',
    69: '[F69] forms as generated clients send them -> like every other form; what has the wrong type is named, never coerced',
  },
  videos: {
    67: '[F67] the video host lags behind success, refuses HEAD, has other words for "over", redirects, misnames -> the video is served while it exists',
    68: '[F68] the result URL of a drop-in answer without a key -> it works, for a while, for that one video',
  },
  receivers: {
    42: 'receiver 5xx, time-out -> tried again with the same webhook-id',
    43: 'receiver 3xx -> a failure, not followed; 410 -> given up',
    44: 'receiver 429/503 with Retry-After -> honoured',
    45: 'receiver never ends its body -> cut off',
    46: 'one dead receiver -> the others are served on time',
  },
} as const;

/** Cases that are about one store, or about more than one process. */
const ONLY: Readonly<Record<Theme, Readonly<Record<number, StoreName>>>> = {
  upstream: {},
  store: {
    19: 'redis',
    20: 'redis',
    21: 'redis',
    22: 'redis',
    23: 'redis',
    24: 'redis',
    25: 'redis',
    28: 'embedded',
    29: 'embedded',
  },
  remembered: { 47: 'redis', 48: 'embedded' },
  process: { 33: 'redis', 36: 'redis' },
  // What is about one replica is shown on the embedded store by the other themes.
  limits: { 5: 'redis', 7: 'redis', 16: 'redis', 24: 'redis', 33: 'redis', 36: 'redis' },
  halves: { 54: 'redis', 56: 'redis' },
  callers: {},
  videos: {},
  receivers: {},
};

/** Shows every case of a theme on every store it applies to, counts them, and fails where one is missing. */
export async function showCases(
  t: Pick<Test, 'test' | 'comment' | 'strictSame'>,
  theme: Theme,
  shows: Readonly<Record<number, Show>>,
): Promise<void> {
  const cases = Object.entries(THEMES[theme]);
  const count = { embedded: { shown: 0, all: 0 }, redis: { shown: 0, all: 0 } };
  for (const [number, words] of cases) {
    const only = ONLY[theme][Number(number)];
    for (const store of only === undefined ? (['embedded', 'redis'] as const) : [only]) {
      count[store].all += 1;
      await t.test(`${store}: case ${number}: ${words}`, async (t) => {
        const show = shows[Number(number)];
        if (show === undefined) throw new Error('nothing shows this case');
        await show(t, store);
        if (t.passing()) count[store].shown += 1;
      });
    }
  }
  const { embedded, redis } = count;
  t.comment(
    `faults: ${embedded.shown + redis.shown} of ${embedded.all + redis.all} ` +
      `(embedded ${embedded.shown} of ${embedded.all}, redis ${redis.shown} of ${redis.all})`,
  );
  t.strictSame(
    Object.keys(shows),
    cases.map(([number]) => number),
    'every case of the list, and no other',
  );
}
