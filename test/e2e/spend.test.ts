/** A process that is killed amid requests leaves no reservation without an avatar. */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import type { AvatarView } from '../../src/http/schemas/avatar.js';
import type { UsageView } from '../../src/http/schemas/usage.js';
import { startSimulator } from '../simulator/simulator.js';
import { callersFile } from '../support/callers.js';
import { startGateway } from '../support/processes.js';
import { redisUrl } from '../support/redis.js';
import { STORES } from '../support/replicas.js';
import { postJson, wav } from '../support/requests.js';

t.setTimeout(600_000);

const SHORT = { image: 'https://example.com/face.jpg', sound_file: wav(2).toString('base64') };
/** What fits into the cap: less than is asked for before the process is killed. */
const FITS = 40;
const CAP = { usd_per_day: FITS * 0.0896, requests_per_minute: 100_000 };

for (const store of STORES) {
  t.test(`${store}: what is reserved after a kill -9 is what there are avatars for`, async (t) => {
    const simulator = await startSimulator({
      settings: { taskMs: { min: 3_600_000, max: 3_600_000 }, callsPerMinute: 1e6, concurrency: 1e6 },
    });
    t.teardown(() => simulator.close());
    const callers = await callersFile(t, { shop: CAP });
    const dataDir = await mkdtemp(join(tmpdir(), 'avatar-gateway-spend-'));
    t.teardown(() => rm(dataDir, { recursive: true, force: true }));
    const redis = store === 'redis' ? await redisUrl(t) : null;
    const env = {
      MODELLIX_API_KEY: 'simulator-key',
      MODELLIX_BASE_URL: simulator.url,
      CALLERS_FILE: callers.file,
      DATA_DIR: dataDir,
      ...(redis && { REDIS_URL: redis.url, REDIS_KEY_PREFIX: redis.prefix }),
    };
    const headers = callers.as('shop');

    const first = await startGateway(env);
    // One at least is under way then, however fast the others are answered.
    simulator.inject({ on: 'submit', when: 'after', do: { hold: true } });
    let accepted = 0;
    let killed: Promise<unknown> | undefined;
    const ask = async () => {
      const response = await postJson(first.url, SHORT, headers).catch(() => null);
      if (response?.status === 202) accepted += 1;
      // Amid the others, some of which are being written now.
      if (accepted >= 10) killed ??= first.stop('SIGKILL');
    };
    await Promise.all(Array.from({ length: 30 }, ask));
    await killed;
    t.ok(killed !== undefined && accepted < 30, `${accepted} of 30 were answered before the kill`);

    const second = await startGateway(env);
    t.teardown(() => second.stop());
    const get = async (path: string): Promise<unknown> =>
      (await fetch(second.url + path, { headers })).json();
    const avatars = ((await get('/avatars?limit=100')) as { data: AvatarView[] }).data;
    const { total } = (await get('/usage')) as UsageView;
    t.ok(avatars.length >= accepted);
    t.strictSame(total, {
      reserved: {
        avatars: avatars.length,
        seconds: avatars.length * 2,
        usd: Math.round(avatars.length * 896) / 10_000,
      },
      settled: { avatars: 0, seconds: 0, usd: 0, estimated_usd: 0, billed_usd: 0 },
    });
    const more = await Promise.all(Array.from({ length: FITS }, () => postJson(second.url, SHORT, headers)));
    t.equal(more.filter(({ status }) => status === 202).length, FITS - avatars.length);
  });
}
