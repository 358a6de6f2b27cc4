/** A gateway that is stopped while it keeps a video: the next one on the same data does it, and then tells. */

import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { parseNetworks } from '../../src/outbound/addresses.js';
import { startSimulator } from '../simulator/simulator.js';
import { startApp } from '../support/app.js';
import { startReceiver, verified } from '../support/receiver.js';
import { redisUrl } from '../support/redis.js';
import { STORES } from '../support/replicas.js';
import { createAvatar, readAvatar, URLS } from '../support/requests.js';
import { until } from '../support/until.js';

for (const store of STORES) {
  t.test(store, async (t) => {
    const simulator = await startSimulator({ settings: { taskMs: { min: 3_600_000, max: 3_600_000 } } });
    t.teardown(() => simulator.close());
    const dataDir = await mkdtemp(join(tmpdir(), 'avatar-gateway-restart-'));
    t.teardown(() => rm(dataDir, { recursive: true, force: true }));
    const dir = join(dataDir, 'videos');
    const settings = {
      beside: simulator,
      dataDir,
      ...(store === 'redis' && { redis: await redisUrl(t) }),
      videos: { keep: { dir, maxBytes: 1_000_000, maxTotalBytes: 1e9 } },
      callbacks: { allowedNetworks: parseNetworks('127.0.0.0/8') },
    };
    const receiver = await startReceiver(t);
    const first = await startApp(t, settings);
    await until('it is ready', async () => ((await fetch(`${first.url}/readyz`)).ok ? true : null));
    const { id, task_id } = await createAvatar(first.url, { ...URLS, callback_url: receiver.url });
    simulator.inject({ on: 'result', when: 'after', do: { hang: 'mid-body' } });
    const begun = simulator.nextCall('result');
    simulator.settle(String(task_id), { end: 'success' });
    await begun;
    await first.close();
    t.same(await readdir(dir), [], 'a part of it is of no use');
    t.same(receiver.calls, []);

    const next = await startApp(t, settings);
    t.match(verified(await receiver.call(0)).data, { id, status: 'succeeded', video: { kept: true } });
    t.same(await readdir(dir), [`${id}.mp4`]);
    t.match(await readAvatar(next.url, id), { video: { kept: true } });
    t.equal(simulator.calls('result').length, 2);
  });
}
