/** Media at URLs, as `CHECK_MEDIA_URLS` says. */

import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import t, { type Test } from 'tap';
import { parseNetworks } from '../../src/outbound/addresses.js';
import { patch } from '../domain/media/make.js';
import { startApp } from '../support/app.js';
import { portrait, postJson, speech, wav } from '../support/requests.js';

const FILES: Readonly<Record<string, Buffer>> = {
  '/a.jpg': portrait,
  '/b.mp3': speech,
  '/short.wav': wav(1.9),
  '/streamed.wav': patch(wav(3), 40, 0xff, 0xff, 0xff, 0xff),
  '/large.mp3': Buffer.alloc(5_000_001, 1),
  '/full.mp3': Buffer.alloc(5_000_000, 1),
};

/** Serves {@link FILES}, to whom it should not as well. */
async function startHost(t: Test) {
  const asked: string[] = [];
  const server = createServer(({ url = '' }, response) => {
    asked.push(url);
    const file = FILES[url];
    if (file === undefined) response.writeHead(404);
    response.end(file);
  });
  t.teardown(() => server.close());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, asked };
}

async function startChecking(t: Test, check: 'off' | 'soft' | 'strict', networks = '127.0.0.1/32') {
  const urls = { check, timeoutMs: 5_000, allowedNetworks: parseNetworks(networks) };
  return startApp(t, { media: { urls } });
}

async function detailsOf(response: Response): Promise<unknown> {
  const { type, errors } = (await response.json()) as { type: string; errors?: unknown };
  return { status: response.status, slug: type.split(':').pop(), errors };
}

for (const check of ['soft', 'strict'] as const) {
  t.test(`${check}: media are looked at where they are, and Modellix is sent the URLs`, async (t) => {
    const host = await startHost(t);
    const { url, simulator } = await startChecking(t, check);
    const body = { image: `${host.url}/a.jpg`, sound_file: `${host.url}/b.mp3` };
    const answer = await postJson(url, body);
    t.equal(answer.status, 202);
    t.match(await answer.json(), {
      image: { source: 'url', format: 'jpeg', width: 720, height: 960, bytes: portrait.length },
      audio: { source: 'url', format: 'mp3', duration_seconds: 6.177, bytes: speech.length },
      cost: { estimate: 0.2767 },
    });
    t.match(simulator.ledger(), [{ image: 'url', audio: 'url' }]);
    t.strictSame(host.asked.sort(), ['/a.jpg', '/b.mp3']);
  });

  t.test(`${check}: what is there and cannot be used is refused`, async (t) => {
    const host = await startHost(t);
    const { url, simulator } = await startChecking(t, check);
    const body = { image: `${host.url}/b.mp3`, sound_file: `${host.url}/short.wav` };
    t.match(await detailsOf(await postJson(url, body)), {
      status: 422,
      slug: 'invalid-media',
      errors: [{ pointer: '/image' }, { pointer: '/sound_file', detail: /1\.9 s long/ }],
    });
    const large = { image: `${host.url}/a.jpg`, sound_file: `${host.url}/large.mp3` };
    t.match(await detailsOf(await postJson(url, large)), {
      slug: 'invalid-media',
      errors: [{ pointer: '/sound_file', detail: /at most 5000000 bytes/ }],
    });
    t.strictSame(simulator.ledger(), []);
  });

  t.test(`${check}: the inside of the network is not read`, async (t) => {
    const host = await startHost(t);
    const { url, simulator } = await startChecking(t, check, '');
    const body = { image: `${host.url}/a.jpg`, audio_id: 'a' };
    t.match(await detailsOf(await postJson(url, body)), {
      status: 422,
      slug: 'url-not-allowed',
      errors: [{ pointer: '/image', detail: /not on the public internet/ }],
    });
    t.strictSame(host.asked, []);
    t.strictSame(simulator.ledger(), []);
  });
}

t.test('what cannot be fetched passes where that is soft, and is refused where it is strict', async (t) => {
  const host = await startHost(t);
  const body = { image: `${host.url}/nothing.jpg`, audio_id: 'a' };
  const soft = await startChecking(t, 'soft');
  const passed = await postJson(soft.url, body);
  t.equal(passed.status, 202);
  t.match(await passed.json(), { image: { source: 'url', format: null, bytes: null } });
  const strict = await startChecking(t, 'strict');
  t.match(await detailsOf(await postJson(strict.url, body)), {
    status: 422,
    slug: 'invalid-media',
    errors: [{ pointer: '/image', detail: /could not be fetched: the host answered 404/ }],
  });
  t.equal(strict.simulator.ledger().length, 0);
});

t.test('off: nobody looks', async (t) => {
  const host = await startHost(t);
  const { url } = await startChecking(t, 'off', '');
  const answer = await postJson(url, { image: `${host.url}/b.mp3`, audio_id: 'a' });
  t.equal(answer.status, 202);
  t.match(await answer.json(), { image: { source: 'url', bytes: null }, cost: { estimate: null } });
  t.strictSame(host.asked, []);
});

t.test('[E3] media that are fetched count as memory as they arrive', async (t) => {
  const host = await startHost(t);
  const urls = { check: 'soft' as const, timeoutMs: 5_000, allowedNetworks: parseNetworks('127.0.0.1/32') };
  const { url, simulator } = await startApp(t, { media: { urls, maxBytes: 5_000_000 } });
  const image = `${host.url}/a.jpg`;
  const answer = await postJson(url, { image, sound_file: `${host.url}/full.mp3` });
  t.equal(answer.status, 503, 'there is no room for the sound');
  t.match(answer.headers.get('retry-after'), /^[1-9]/);
  t.strictSame(simulator.ledger(), []);
  const smaller = await postJson(url, { image, sound_file: `${host.url}/b.mp3` });
  t.equal(smaller.status, 202, 'and all that was held is free again');
});

t.test('[FMedia] what is forgiven at a URL cannot be put right, and the warning says so', async (t) => {
  const host = await startHost(t);
  const { url } = await startChecking(t, 'strict');
  const body = { image: `${host.url}/a.jpg`, sound_file: `${host.url}/streamed.wav` };
  const answer = await fetch(`${url}/avatars/check`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  t.equal(answer.status, 200);
  t.match(await answer.json(), {
    audio: { source: 'url', duration_seconds: 3 },
    warnings: [
      {
        pointer: '/sound_file',
        detail: /claims 4294967295 bytes, .*; it is at a URL, so Modellix gets it as it is$/,
      },
    ],
  });
});
