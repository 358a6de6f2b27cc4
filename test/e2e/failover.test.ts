/** Three gateways on one Redis whose master is killed while avatars are posted: each that was accepted ends, and is paid once. */

import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { Subject } from '../faults/subject.js';
import { isReady } from '../faults/world.js';
import { type RedisOverrides, type RunningApp, startApp } from '../support/app.js';
import { startCluster } from '../support/redis-cluster.js';
import { commandSays } from '../support/redis-command.js';
import { cutOff, REPLICATION } from '../support/redis-replication.js';
import { startSentinels } from '../support/redis-sentinel.js';
import { asUser, PREFIX, withUser } from '../support/redis-user.js';
import { until } from '../support/until.js';

t.setTimeout(600_000);

const WAIT_FOR = { replicas: 1, ownFile: false };
/** Tasks end at once, and nothing of Modellix is in the way. */
const SIMULATOR = { settings: { taskMs: { min: 0, max: 0 }, callsPerMinute: 1e6, concurrency: 1e6 } };

/** A lease that its holder lost is soon over. */
const PACE = {
  modellix: { connectTimeoutMs: 500, submitTimeoutMs: 1000 },
  gateway: { submitGraceMs: 1000 },
};

/** A caller that posts one avatar after another; all posts of an avatar have its key, where it has one. */
class Caller {
  readonly avatars: Subject[][] = [];
  #stopping = false;
  #posting: Promise<void> = Promise.resolve();

  constructor(app: RunningApp, withKey: boolean) {
    this.#posting = this.#post(app, withKey);
  }

  get accepted(): number {
    return this.avatars.filter((posts) => posts.at(-1)?.status === 202).length;
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#posting;
  }

  async #post(app: RunningApp, withKey: boolean): Promise<void> {
    let posts: Subject[] = [];
    let key = '';
    for (let again = false; again || !this.#stopping; ) {
      if (!again) {
        key = randomUUID();
        posts = [];
        this.avatars.push(posts);
      }
      const subject = await Subject.post(app, withKey ? { key } : {});
      posts.push(subject);
      again = withKey && subject.status === 503;
      if (subject.status === 503) await pause(100);
    }
  }
}

async function keepsItsPromises(
  t: Test,
  redis: RedisOverrides,
  failOver: () => Promise<unknown>,
): Promise<void> {
  const first = await startApp(t, { redis, simulator: SIMULATOR, ...PACE });
  const beside = { redis, beside: first.simulator, ...PACE };
  const apps = [first, await startApp(t, beside), await startApp(t, beside)];
  await Promise.all(apps.map(isReady));
  const callers = apps.flatMap((app) => [new Caller(app, true), new Caller(app, false)]);
  t.teardown(() => Promise.all(callers.map((caller) => caller.stop())).then(() => {}));
  const eachHasMore = async (count: number) => {
    const before = new Map(callers.map((caller) => [caller, caller.accepted]));
    const has = (caller: Caller) => caller.accepted >= (before.get(caller) ?? 0) + count;
    await until(`${count} more avatars of each`, async () => callers.every(has) || null);
  };

  await eachHasMore(3);
  await failOver();
  await eachHasMore(3);
  await Promise.all(callers.map((caller) => caller.stop()));

  const avatars = callers.flatMap((caller) => caller.avatars);
  const statuses = new Set(avatars.flat().map(({ status }) => status));
  t.same([...statuses].sort(), [202, 503], 'the fail-over was felt, and said as what it is');
  const ends = await Promise.all(avatars.map((posts) => endOf(posts, apps)));
  for (const posts of avatars) isPaidOnceAtMost(t, posts);
  const count = (end: string | null) => ends.filter((each) => each === end).length;
  t.comment(`${ends.length} avatars: ${count('succeeded')} succeeded, ${count(null)} not accepted`);
  t.ok(count('succeeded') >= 30, 'avatars were made');
  t.equal(ends.length, count('succeeded') + count('unconfirmed') + count(null));
}

/** How an avatar ended, as another gateway says than the one that took it; `null` where none was accepted. */
async function endOf(posts: readonly Subject[], apps: readonly RunningApp[]): Promise<string | null> {
  const accepted = posts.find(({ status }) => status === 202);
  if (accepted === undefined) return null;
  const other = apps.find(({ url }) => url !== accepted.url);
  const { status } = await accepted
    .at(other ?? accepted)
    .becomes('succeeded', 'failed', 'timed_out', 'unconfirmed');
  return status;
}

/** Once where it succeeded, and not at all where its caller was told that nothing was made. */
function isPaidOnceAtMost(t: Test, posts: readonly Subject[]): void {
  const accepted = posts.some(({ status }) => status === 202);
  const sent = posts.flatMap((post) => post.posts()).length;
  const paid = posts.flatMap((post) => post.tasks()).length;
  const most = accepted ? 1 : 0;
  if (sent > most || paid > most)
    t.fail(`sent ${sent} times, paid ${paid} times`, { ids: posts.map(({ id }) => id) });
}

t.test('redis: sentinel: the master is cut off and killed under load', async (t) => {
  const behind = await startSentinels(t, { args: [...REPLICATION, ...withUser()] });
  const [master] = behind.servers;
  const redis = { url: asUser(behind.url), prefix: PREFIX, waitFor: WAIT_FOR };
  await keepsItsPromises(t, redis, async () => {
    await cutOff(master);
    await master.kill();
    await behind.successorOf(master);
  });
});

t.test('redis: cluster: the master is killed under load', async (t) => {
  const cluster = await startCluster(t, {
    replicas: true,
    args: [...REPLICATION, ...withUser({ anyPrefix: true })],
  });
  const [master, , , replica] = cluster.nodes;
  if (master === undefined || replica === undefined) throw new Error('too few nodes');
  const prefix = await cluster.tagOf(master, PREFIX);
  await keepsItsPromises(t, { url: asUser(cluster.url), prefix, waitFor: WAIT_FOR }, async () => {
    await master.kill();
    await commandSays(replica.port, {}, /^master/, 'ROLE');
    // It comes back as the replica that a write has to wait for.
    await master.start();
  });
});
