import t from 'tap';
import type { Avatar, Video } from '../../src/domain/avatar.js';
import { isKeepingOver, keepFailed, kept } from '../../src/domain/keeping.js';
import { IllegalMoveError } from '../../src/domain/moves.js';

const video: Video = {
  url: 'https://modellix.example/v.mp4',
  format: 'mp4',
  width: 720,
  height: 960,
  bytes: 7,
  expiresAt: 9_000,
  keptBytes: null,
};
const callback = {
  url: 'https://a.example',
  taskBase: null,
  state: 'waiting',
  since: 5_000,
  nextAt: null,
  deliveries: [],
};
/** As far as the moves look at it. */
const keeping = {
  id: 'av_1',
  status: 'succeeded',
  step: 'keep',
  video,
  callback,
  failures: 2,
  completedAt: 5_000,
} as unknown as Avatar;

t.test('once it is kept, or never will be, somebody may be told', async (t) => {
  const here = { ...video, keptBytes: 7 };
  t.strictSame(kept(keeping, here, 8_000), {
    ...keeping,
    video: here,
    step: 'deliver',
    callback: { ...callback, since: 8_000 },
    failures: 0,
  });
  t.match(kept({ ...keeping, callback: null }, video, 8_000), { step: 'expire', callback: null, video });
});

t.test('a try that failed', async (t) => {
  t.strictSame(keepFailed(keeping), { ...keeping, failures: 3 });
});

t.test('an hour of tries in vain is enough; a first try is made however late', async (t) => {
  const end = 5_000 + 3_600_000;
  t.notOk(isKeepingOver(keeping, end));
  t.ok(isKeepingOver(keeping, end + 1));
});

t.test('no other step is taken for it', async (t) => {
  for (const step of ['submit', 'poll', 'deliver', 'expire'] as const) {
    t.throws(() => kept({ ...keeping, step }, video, 0), IllegalMoveError);
    t.throws(() => keepFailed({ ...keeping, step }), IllegalMoveError);
  }
});
