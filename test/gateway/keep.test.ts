/** The step that keeps a video, on a store of its own, beside a host and a folder in the hands of the test. */

import { Readable } from 'node:stream';
import t, { type Test } from 'tap';
import type { Avatar, Video } from '../../src/domain/avatar.js';
import { newAvatar } from '../../src/domain/moves.js';
import { forget } from '../../src/gateway/forget.js';
import { OriginGate, VIDEO_ROOM } from '../../src/gateway/origin-gate.js';
import type { Ports } from '../../src/gateway/ports.js';
import { Bills } from '../../src/gateway/spend/bills.js';
import { keep } from '../../src/gateway/video/keep.js';
import { Renewals } from '../../src/gateway/video/renewals.js';
import { openVideo } from '../../src/gateway/video/video.js';
import type { VideoAnswer, VideoRequest } from '../../src/modellix/client.js';
import type { ProblemError } from '../../src/problems.js';
import type { Store, Stored } from '../../src/store/store.js';
import { avatarOf, CALLER, claim, dueIn, SUBMISSION } from '../store/fixtures.js';
import { clockedStore, NOW } from './clocked.js';
import { SETTINGS } from './world.js';

const HOUR_MS = 3_600_000;
const RETENTION_MS = 24 * HOUR_MS;

const VIDEO: Video = {
  url: 'https://host.example/v.mp4',
  format: 'mp4',
  width: null,
  height: null,
  bytes: null,
  expiresAt: null,
  keptBytes: null,
};

/** An avatar that has just succeeded and whose video is to be kept, claimed. */
async function claimed(store: Store, change: Partial<Avatar> = {}): Promise<Stored> {
  const made = await store.admit(avatarOf(), [SUBMISSION], dueIn(0));
  const ended: Avatar = {
    ...newAvatar({ ...made.avatar, callbackUrl: 'https://receiver.example' }, NOW),
    status: 'succeeded',
    step: 'keep',
    keyId: 'key',
    taskId: `task-${made.avatar.id}`,
    video: VIDEO,
    completedAt: NOW,
    expiresAt: NOW + RETENTION_MS,
    ...change,
  };
  await store.save(ended, made.version, { dueInMs: 0, submission: 'drop' });
  return again(store, ended);
}

async function again(store: Store, { id }: Avatar): Promise<Stored> {
  const stored = (await claim(store, null, 10, 1_000)).find(({ avatar }) => avatar.id === id);
  if (stored === undefined) throw new Error(`${id} is not due`);
  return stored;
}

type Host = (request: VideoRequest) => Promise<VideoAnswer> | VideoAnswer;

const ok = (headers: object = {}, status: 200 | 206 = 200, body = 'abc'): Host => {
  return () => ({ kind: 'ok', status, headers, body: Readable.from(body === '' ? [] : [Buffer.from(body)]) });
};

/** What the step needs; `kept` and `removed` are what its folder was told. */
function portsOn(store: Store, host: Host, change: Partial<Ports> = {}) {
  const silent = () => undefined;
  const kept: string[] = [];
  const removed: string[] = [];
  const outcomes: string[] = [];
  const stopping = new AbortController();
  const ports = {
    store,
    modellix: { video: async (_url: string, request: VideoRequest) => host(request) },
    videos: {
      async keep(id: string, body: AsyncIterable<Uint8Array>) {
        let keptBytes = 0;
        for await (const chunk of body) keptBytes += chunk.length;
        kept.push(id);
        return { keptBytes };
      },
      open: async () => null,
      remove: async (id: string) => void removed.push(id),
    },
    videoOrigins: new OriginGate(() => 0, stopping.signal, VIDEO_ROOM),
    renewals: new Renewals(),
    bills: new Bills(),
    settings: { ...SETTINGS, keepLeaseMs: 500_000 },
    log: { info: silent, warn: silent, error: silent },
    counts: { keeping: (outcome: string) => void outcomes.push(outcome) },
    random: () => 0,
    stopping: stopping.signal,
    ...change,
  } as unknown as Ports;
  return { ports, kept, removed, outcomes, stopping };
}

async function find(store: Store, { avatar: { id } }: Stored): Promise<Avatar> {
  const found = await store.find(CALLER, id);
  if (found === null) throw new Error(`${id} is forgotten`);
  return found.avatar;
}

/** Until it is due again, in ms. */
const dueOf = async (store: Store) => (await store.outlook([])).dueInMs;

t.test('kept, and then somebody is told', async (t) => {
  const { store } = await clockedStore(t);
  const { ports, kept, outcomes } = portsOn(store, ok({ 'content-length': '3' }));
  const stored = await claimed(store);
  await keep(ports, stored);
  t.match(await find(store, stored), { step: 'deliver', failures: 0, video: { keptBytes: 3 } });
  t.equal(await dueOf(store), 0);
  t.same([kept, outcomes], [[stored.avatar.id], ['kept']]);

  const unheard = await claimed(store, { callback: null });
  await keep(ports, unheard);
  t.match(await find(store, unheard), { step: 'expire', video: { keptBytes: 3 } });
});

t.test('while it is kept nobody else begins with it, however long it takes', async (t) => {
  const { store } = await clockedStore(t);
  let leftMs: number | null = null;
  const { ports } = portsOn(store, async (request) => {
    leftMs = await dueOf(store);
    return ok()(request);
  });
  await keep(ports, await claimed(store));
  t.equal(leftMs, 500_000);
});

const TROUBLE: readonly [string, Host][] = [
  ['does not answer', () => ({ kind: 'unavailable', reason: 'no answer in time' })],
  ['sends a part', ok({}, 206)],
  ['sends it encoded', ok({ 'content-encoding': 'gzip' })],
  ['[F67] [R04] sends nothing', ok({ 'content-length': '0' }, 200, '')],
  ['[F67] [R04] sends a page', ok({ 'content-type': 'video/mp4' }, 200, '\n<!doctype html>')],
  ['[F67] [R04] sends a page behind a byte order mark', ok({}, 200, '\ufeff<?xml version="1.0"?><Error/>')],
  ['[F67] [R04] sends JSON', ok({}, 200, '{"code":404}')],
  [
    'breaks off',
    () => {
      const body = new Readable({ read: () => body.destroy(new Error('reset')) });
      return { kind: 'ok', status: 200, headers: {}, body };
    },
  ],
];
for (const [name, host] of TROUBLE) {
  t.test(`a host that ${name}: tried again with growing pauses, for an hour`, async (t) => {
    const { store, pass } = await clockedStore(t);
    const { ports, kept, outcomes } = portsOn(store, host);
    let stored = await claimed(store);
    const pauses: (number | null)[] = [];
    for (let tries = 1; tries <= 3; tries++) {
      await keep(ports, stored);
      t.match(await find(store, stored), { step: 'keep', failures: tries, video: { keptBytes: null } });
      const dueInMs = await dueOf(store);
      pauses.push(dueInMs);
      pass(dueInMs ?? 0);
      stored = await again(store, stored.avatar);
    }
    t.same(pauses, [500, 1_000, 2_000]);
    pass(HOUR_MS);
    stored = await again(store, stored.avatar);
    await keep(ports, stored);
    t.match(await find(store, stored), { step: 'deliver', failures: 0, video: { keptBytes: null } });
    t.same([kept, outcomes], [[], ['given_up']]);
  });
}

t.test('[F67] [R04] a video that is shorter than Modellix said is tried again', async (t) => {
  const { store } = await clockedStore(t);
  const { ports, outcomes } = portsOn(store, ok());
  const cut = await claimed(store, { video: { ...VIDEO, bytes: 4 } });
  await keep(ports, cut);
  t.match(await find(store, cut), { step: 'keep', failures: 1, video: { keptBytes: null } });
  const whole = await claimed(store, { video: { ...VIDEO, bytes: 3 } });
  await keep(ports, whole);
  const longer = await claimed(store, { video: { ...VIDEO, bytes: 1 } });
  await keep(ports, longer);
  t.same(outcomes, ['kept', 'kept']);
});

/** Modellix says each time that the video is where it was said to be. */
function unmoved(expiresAt: number | null = null): Renewals {
  const renewals = new Renewals();
  renewals.known = () => ({ kind: 'fresh', video: { ...VIDEO, expiresAt } });
  return renewals;
}

t.test('[R04] [F67] a video that lags behind its success is tried again, and kept', async (t) => {
  const { store, pass } = await clockedStore(t);
  let isThere = false;
  const host: Host = (request) => (isThere ? ok()(request) : { kind: 'expired' });
  const { ports, kept, outcomes } = portsOn(store, host, { renewals: unmoved() });
  let stored = await claimed(store);
  const pauses: (number | null)[] = [];
  for (let tries = 1; tries <= 7; tries++) {
    await keep(ports, stored);
    t.match(await find(store, stored), { step: 'keep', failures: tries, video: { keptBytes: null } });
    const dueInMs = await dueOf(store);
    pauses.push(dueInMs);
    pass(dueInMs ?? 0);
    stored = await again(store, stored.avatar);
  }
  t.same(pauses, [2_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000], 'with growing pauses');
  isThere = true;
  await keep(ports, stored);
  t.match(await find(store, stored), { step: 'deliver', failures: 0, video: { keptBytes: 3 } });
  t.same([kept, outcomes], [[stored.avatar.id], ['kept']]);
});

t.test(
  '[R04] [F67] one that does not come in ten minutes, or before its time is over, is gone',
  async (t) => {
    const { store, pass } = await clockedStore(t);
    const { ports, outcomes } = portsOn(store, () => ({ kind: 'expired' }), { renewals: unmoved() });
    const early = await claimed(store);
    await keep(ports, early);
    t.match(await find(store, early), { step: 'keep' });
    const over = await claimed(store);
    await keep({ ...ports, renewals: unmoved(NOW) }, over);
    t.match(await find(store, over), { step: 'deliver', video: { keptBytes: null } });
    pass(600_000);
    const late = await again(store, early.avatar);
    await keep(ports, late);
    t.match(await find(store, late), { step: 'deliver', video: { keptBytes: null } });
    t.same(outcomes, ['gone', 'gone']);
  },
);

t.test('[R04] [F67] whoever reads is told when to come again, and in the end that it is gone', async (t) => {
  const { store, pass } = await clockedStore(t);
  const { ports } = portsOn(store, () => ({ kind: 'expired' }), { videos: null, renewals: unmoved() });
  const { avatar } = await claimed(store);
  const signal = new AbortController().signal;
  const refusal = async (method: 'GET' | 'HEAD') => {
    const stored = await store.find(CALLER, avatar.id);
    if (stored === null) throw new Error('forgotten');
    return openVideo(ports, stored, { method, signal }).then(
      () => null,
      ({ slug, headers }: ProblemError) => ({ slug, retryAfter: headers['retry-after'] }),
    );
  };
  for (const [afterMs, retryAfter] of [
    [0, '2'],
    [30_000, '30'],
    [300_000, '60'],
  ] as const) {
    pass(afterMs);
    t.same(await refusal('GET'), { slug: 'video-delayed', retryAfter });
    t.same(await refusal('HEAD'), { slug: 'video-delayed', retryAfter });
  }
  pass(300_000);
  t.match(await refusal('GET'), { slug: 'video-gone' });
});

t.test('a host that takes too long is cut off', async (t) => {
  const { store } = await clockedStore(t);
  const settings = { ...SETTINGS, keepTryMs: 20 };
  let cut = false;
  const never: Host = ({ signal }) => {
    const body = new Readable({ read: () => undefined });
    signal.addEventListener('abort', () => {
      cut = true;
      body.destroy(new Error('canceled'));
    });
    return { kind: 'ok', status: 200, headers: {}, body };
  };
  const { ports } = portsOn(store, never, { settings });
  const stored = await claimed(store);
  await keep(ports, stored);
  t.ok(cut);
  t.match(await find(store, stored), { step: 'keep', failures: 1 });
});

t.test('the process stops: it counts for nothing, and is due at once', async (t) => {
  const { store } = await clockedStore(t);
  const { ports, stopping } = portsOn(store, ({ signal }) => {
    stopping.abort();
    t.ok(signal.aborted);
    return { kind: 'unavailable', reason: 'canceled by the caller' };
  });
  const stored = await claimed(store);
  await keep(ports, stored);
  t.match(await find(store, stored), { step: 'keep', failures: 0 });
  t.equal(await dueOf(store), 0);
});

t.test('no turn now: it is put off, and that is no try', async (t) => {
  const { store } = await clockedStore(t);
  const videoOrigins = { acquire: () => ({ putOffMs: 700 }) } as unknown as OriginGate;
  const { ports, kept } = portsOn(store, ok(), { videoOrigins });
  const stored = await claimed(store);
  await keep(ports, stored);
  t.match(await find(store, stored), { step: 'keep', failures: 0 });
  t.equal(await dueOf(store), 700);
  t.same(kept, []);
});

t.test('one that the folder refuses, and one that is gone, are left where they are', async (t) => {
  const { store } = await clockedStore(t);
  const refusing = {
    keep: async () => ({ refused: 'no-room', reason: 'full' }),
  } as unknown as Ports['videos'];
  for (const [{ ports, outcomes }, outcome] of [
    [portsOn(store, ok(), { videos: refusing }), 'no-room'],
    [
      portsOn(store, () => ({ kind: 'expired' }), {
        keyring: { get: () => null } as unknown as Ports['keyring'],
      }),
      'gone',
    ],
  ] as const) {
    const stored = await claimed(store);
    await keep(ports, stored);
    t.match(await find(store, stored), { step: 'deliver', video: { keptBytes: null } }, outcome);
    t.same(outcomes, [outcome]);
  }
});

t.test('there is no folder any more', async (t) => {
  const { store } = await clockedStore(t);
  const { ports } = portsOn(store, ok(), { videos: null });
  const stored = await claimed(store);
  await keep(ports, stored);
  t.match(await find(store, stored), { step: 'deliver', video: { keptBytes: null } });
});

t.test('its time is over before its turn', async (t) => {
  const { store, pass } = await clockedStore(t);
  const { ports, kept, removed } = portsOn(store, ok());
  const { avatar } = await claimed(store);
  pass(RETENTION_MS);
  const stored = await again(store, avatar);
  await keep(ports, stored);
  t.equal(await store.find(CALLER, stored.avatar.id), null);
  t.same([kept, removed], [[], [stored.avatar.id]]);
});

/** A step that loses its avatar while the host sends the video. */
async function meanwhile(t: Test, lose: (ports: Ports, store: Store, stored: Stored) => Promise<unknown>) {
  const { store } = await clockedStore(t);
  const made: { stored?: Stored } = {};
  const all = portsOn(store, async (request) => {
    if (made.stored !== undefined) await lose(all.ports, store, made.stored);
    all.removed.length = 0;
    return ok()(request);
  });
  made.stored = await claimed(store);
  await keep(all.ports, made.stored);
  return { ...all, id: made.stored.avatar.id };
}

t.test('forgotten meanwhile: nothing of it stays', async (t) => {
  const { kept, removed, id } = await meanwhile(t, (ports, _store, { avatar }) =>
    forget(ports, CALLER, avatar.id),
  );
  t.same([kept, removed], [[id], [id]]);
});

t.test("another worker's meanwhile: the file is that one's, too", async (t) => {
  const { kept, removed, outcomes, id } = await meanwhile(t, async (_ports, store, { avatar }) => {
    const found = await store.find(CALLER, avatar.id);
    await store.save(avatar, found?.version ?? 0, { dueInMs: 0, submission: 'drop' });
  });
  t.same([kept, removed, outcomes], [[id], [], []]);
});
