/** Result URLs lead to the public internet, to Modellix's own host, and to what VIDEO_NETWORKS names: nowhere else inside. */

import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { parseNetworks } from '../../src/outbound/addresses.js';
import { type AppOverrides, startApp } from '../support/app.js';
import { readAvatar } from '../support/requests.js';
import { until } from '../support/until.js';
import { isVideoProblem, succeeded } from '../support/video.js';

/** A service inside that nobody outside should reach. */
async function inside(t: Test) {
  const seen = { connections: 0 };
  const server = createServer((_request, response) => void response.end('secret'));
  server.on('connection', () => {
    seen.connections += 1;
  });
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return { seen, port: (server.address() as AddressInfo).port };
}

/** A gateway before a Modellix that says that its videos are at `url`. */
async function toldOf(t: Test, url: string, overrides: AppOverrides = {}) {
  const app = await startApp(t, overrides);
  const resources = [{ type: 'video', role: 'primary', url }];
  app.simulator.inject({ on: 'query', probability: 1, do: { patch: { data: { result: { resources } } } } });
  return app;
}

const NOT_PUBLIC = /is not on the public internet, and not in VIDEO_NETWORKS\.$/;

t.test('[E19] a result URL that leads inside is not fetched', async (t) => {
  const { seen, port } = await inside(t);
  for (const host of [
    `127.0.0.1:${port}`,
    `localhost:${port}`,
    `sub.localhost:${port}`,
    `[::ffff:127.0.0.1]:${port}`,
    `0x7f000001:${port}`,
    '169.254.169.254',
    '10.0.0.1',
    '[fd00::1]',
  ]) {
    const app = await toldOf(t, `http://${host}/latest/meta-data/`);
    const video = await succeeded(app);
    for (const method of ['GET', 'HEAD']) {
      t.equal((await fetch(video, { method })).status, 502, `${method} ${host}`);
    }
    const { detail } = await isVideoProblem(t, await fetch(video), 502, 'video-unavailable');
    t.match(detail, NOT_PUBLIC, host);
    t.notMatch(detail, /\d\.\d/, 'and where it leads is not told');
    await app.close();
  }
  t.equal(seen.connections, 0);
});

t.test("[E19] nor is what Modellix's own host redirects to inside", async (t) => {
  const { seen, port } = await inside(t);
  const app = await startApp(t);
  const video = await succeeded(app);
  const headers = { location: `http://127.0.0.1:${port}/` };
  app.simulator.inject({ on: 'result', do: { status: 302, headers } });
  const { detail } = await isVideoProblem(t, await fetch(video), 502, 'video-unavailable');
  t.match(detail, NOT_PUBLIC);
  t.equal(seen.connections, 0);
  t.equal((await fetch(video)).status, 200, 'its own results are');
});

t.test('[E19] nor is it kept', async (t) => {
  const { seen, port } = await inside(t);
  const dir = await mkdtemp(join(tmpdir(), 'avatar-gateway-inside-'));
  t.teardown(() => rm(dir, { recursive: true, force: true }));
  const keep = { dir, maxBytes: 1_000_000, maxTotalBytes: 1e9 };
  const app = await toldOf(t, `http://127.0.0.1:${port}/`, { videos: { keep } });
  const video = await succeeded(app);
  await until('it was tried', async () =>
    app.logLines().some((line) => /could not be kept yet/.test(line)) ? true : null,
  );
  t.match(await readAvatar(app.url, video.split('/').at(-2) ?? ''), { video: { kept: false } });
  t.same([await readdir(dir), seen.connections], [[], 0]);
});

t.test('[E19] networks that are allowed', async (t) => {
  const { port } = await inside(t);
  const videos = { allowedNetworks: parseNetworks('127.0.0.0/8') };
  for (const host of ['127.0.0.1', 'localhost']) {
    const app = await toldOf(t, `http://${host}:${port}/`, { videos });
    // The name may lead to ::1 as well, which is not in the network.
    const expected = host === 'localhost' ? 502 : 200;
    t.equal((await fetch(await succeeded(app))).status, expected, host);
    await app.close();
  }
});
