/** Many changes that are told one after the other, with turns of the event loop in between. */

import t from 'tap';
import { EVERYONE } from '../../src/domain/caller.js';
import { FeedTopic } from '../../src/gateway/watch/topic.js';
import type { Found } from '../../src/store/store.js';
import { avatarOf } from '../store/fixtures.js';

const changed = Array.from({ length: 40 }, (_, n) => ({
  at: n + 1,
  avatar: avatarOf({ id: `av_${n}`, status: 'pending' }),
  version: 1,
  now: 0,
}));

function topicOf() {
  const store = {
    find: async () => null,
    feed: async () => ({ changed, last: changed.length, whole: true }),
  };
  const see = ({ avatar, version }: Found) => ({ avatar, version, queue: null });
  const topic = new FeedTopic(EVERYONE, { store, see });
  topic.at = 0;
  return topic;
}

const watcher = { removed: () => {}, lost: () => {}, ended: () => {} };

t.test('[E8] others have their turn between them', async (t) => {
  const topic = topicOf();
  const turns = new Set<number>();
  let turn = 0;
  let told = 0;
  const next = () =>
    setImmediate(() => {
      turn += 1;
      if (told < changed.length) next();
    });
  topic.watchers.add({
    ...watcher,
    changed() {
      told += 1;
      turns.add(turn);
    },
  });
  next();
  await topic.read();
  t.equal(told, changed.length);
  t.ok(turns.size >= 4, `in ${turns.size} turns`);
});

t.test('[E8] what is removed between them is not told of any more', async (t) => {
  const topic = topicOf();
  const told: string[] = [];
  topic.watchers.add({
    ...watcher,
    changed(_at, { avatar: { id } }) {
      told.push(id);
      if (id === 'av_3') topic.removed('av_30');
    },
    removed: (id) => told.push(`${id} removed`),
  });
  await topic.read();
  t.strictSame(told.slice(3, 5), ['av_3', 'av_30 removed']);
  t.notOk(told.includes('av_30'));
  t.equal(told.length, changed.length);
  t.equal(topic.at, changed.length);
});
