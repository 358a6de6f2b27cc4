/** Three gateways on one Redis whose master is killed while avatars are posted: each that was accepted ends, and is paid once. */

import { randomUUID } from 'node:crypto';
import t, { type Test } from 'tap';
import { Subject } from '../faults/subject.js';
import { isReady } from '../faults/world.js';
import { type RedisOverrides, type RunningApp, startApp } from '../support/app.js';
import { startCluster } from '../support/redis-cluster.js';
import { commandSays } from '../support/redis-command.js';
import { REPLICATION } from '../support/redis-replication.js';
import { startSentinels } from '../support/redis-sentinel.js';
import { asUser, PREFIX, withUser } from '../support/redis-user.js';
import { until } from '../support/until.js';

t.setTimeout(300_000);

const WAIT_FOR = { replicas: 1, ownFile: false };
/** Tasks end at once, and nothing of Modellix is in the way. */
const SIMULATOR = { settings: { taskMs: { min: 0, max: 0 }, callsPerMinute: 1e6, concurrency: 1e6 } };

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
    while (!this.#stopping) {
      const key = randomUUID();
      const posts: Subject[] = [];
      this.avatars.push(posts);
      do {
        if (posts.length > 0) await new Promise((resolve) => setTimeout(resolve, 100));
        posts.push(await Subject.post(app, withKey ? { key } : {}));
      } while (withKey && posts.at(-1)?.status === 503);
    }
  }
}

async function keepsItsPromises(
  t: Test,
  redis: RedisOverrides,
  failOver: () => Promise<unknown>,
): Promise<void> {
  const first = await startApp(t, { redis, simulator: SIMULATOR });
  const beside = { redis, beside: first.simulator };
  const apps = [first, await startApp(t, beside), await startApp(t, beside)];
  await Promise.all(apps.map(isReady));
  const callers = apps.flatMap((app) => [new Caller(app, true), new Caller(app, false)]);
  t.teardown(() => Promise.all(callers.map((caller) => caller.stop())).then(() => {}));
  const eachHas = (accepted: number) =>
    until(
      `${accepted} avatars of each`,
      async () => callers.every((caller) => caller.accepted >= accepted) || null,
    );

  await eachHas(5);
  await failOver();
  await eachHas(Math.max(...callers.map((caller) => caller.accepted)) + 5);
  await Promise.all(callers.map((caller) => caller.stop()));

  const avatars = callers.flatMap((caller) => caller.avatars);
  const statuses = new Set(avatars.flat().map(({ status }) => status));
  t.same([...statuses].sort(), [202, 503], 'the fail-over was felt, and said as what it is');
  const ends = await Promise.all(avatars.map((posts) => endOf(t, posts, apps)));
  const count = (end: string | null) => ends.filter((each) => each === end).length;
  t.comment(`${ends.length} avatars: ${count('succeeded')} succeeded, ${count(null)} not accepted`);
  t.ok(count('succeeded') >= 60);
  t.equal(ends.length, count('succeeded') + count('unconfirmed') + count(null));
}

/** How an avatar ended, `null` where none was accepted; paid once at most. */
async function endOf(
  t: Test,
  posts: readonly Subject[],
  apps: readonly RunningApp[],
): Promise<string | null> {
  const tasks = posts.flatMap((post) => post.tasks());
  const accepted = posts.find(({ status }) => status === 202);
  if (accepted === undefined) {
    if (tasks.length > 0) t.fail(`a caller was told that nothing was made, and ${tasks.length} were`);
    return null;
  }
  const [app] = apps.filter(({ url }) => !accepted.answer.links?.self?.startsWith(url));
  const avatar = await accepted
    .at(app ?? { url: '' })
    .becomes('succeeded', 'failed', 'timed_out', 'unconfirmed');
  const paid = posts.flatMap((post) => post.tasks()).map(({ taskId }) => taskId);
  const sent = posts.flatMap((post) => post.posts()).length;
  if (sent > 1 || paid.length > 1)
    t.fail(`${avatar.id} was sent ${sent} times, and paid ${paid.length} times`);
  if (avatar.status === 'succeeded') t.same(paid, [avatar.task_id]);
  return avatar.status;
}

t.test('redis: sentinel: the master is killed under load', async (t) => {
  const behind = await startSentinels(t, { args: [...REPLICATION, ...withUser()] });
  const [master] = behind.servers;
  const redis = { url: asUser(behind.url), prefix: PREFIX, waitFor: WAIT_FOR };
  await keepsItsPromises(t, redis, async () => {
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
