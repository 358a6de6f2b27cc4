import { readFileSync } from 'node:fs';
import t from 'tap';
import type { Fault } from '../simulator/simulator.js';
import { DEFAULT_KEY } from '../simulator/simulator.js';
import { startApp } from '../support/app.js';
import { createAvatar, readAvatar } from '../support/requests.js';
import { until } from '../support/until.js';
import { bytesOf, isVideoProblem, succeeded } from '../support/video.js';

const VIDEO = readFileSync(new URL('../simulator/result.mp4', import.meta.url));

t.test('the video', async (t) => {
  const app = await startApp(t, { modellix: { videoTimeoutMs: 500 } });
  const { simulator } = app;
  const video = await succeeded(app);

  await t.test('its bytes', async (t) => {
    const response = await fetch(video);
    t.equal(response.status, 200);
    t.match(Object.fromEntries(response.headers), {
      'content-type': 'video/mp4',
      'content-length': String(VIDEO.length),
      'accept-ranges': 'bytes',
      'cache-control': 'private, no-store',
      etag: /^".+"$/,
      'content-disposition': /^inline; filename="av_\w+\.mp4"$/,
      'x-request-id': /./,
    });
    t.ok((await bytesOf(response)).equals(VIDEO));
    const saved = await fetch(`${video}?download=true`);
    t.match(saved.headers.get('content-disposition'), /^attachment; filename="av_\w+\.mp4"$/);
    t.ok((await bytesOf(saved)).equals(VIDEO));
  });

  await t.test('a range of them', async (t) => {
    for (const [range, first, last] of [
      ['bytes=0-9', 0, 9],
      ['bytes=100-', 100, VIDEO.length - 1],
      ['bytes=-5', VIDEO.length - 5, VIDEO.length - 1],
    ] as const) {
      const response = await fetch(video, { headers: { range } });
      t.equal(response.status, 206, range);
      t.equal(response.headers.get('content-range'), `bytes ${first}-${last}/${VIDEO.length}`);
      t.equal(response.headers.get('content-length'), String(last - first + 1));
      t.ok((await bytesOf(response)).equals(VIDEO.subarray(first, last + 1)));
    }
    const response = await fetch(video, { headers: { range: 'bytes=99999999-' } });
    t.equal(response.headers.get('content-range'), `bytes */${VIDEO.length}`);
    await isVideoProblem(t, response, 416, 'range-not-satisfiable');
  });

  await t.test('HEAD', async (t) => {
    const response = await fetch(video, { method: 'HEAD' });
    t.equal(response.status, 200);
    t.equal(response.headers.get('content-length'), String(VIDEO.length));
    t.equal((await bytesOf(response)).length, 0);
    t.match(simulator.calls('result').at(-1), { method: 'GET', status: 206 }, 'one byte is fetched');
  });

  await t.test('where it is, with redirect=true', async (t) => {
    const asked = simulator.calls('result').length;
    const response = await fetch(`${video}?redirect=true`, { redirect: 'manual' });
    t.equal(response.status, 302);
    t.equal(response.headers.get('cache-control'), 'no-store');
    t.equal(simulator.calls('result').length, asked, 'Modellix is not asked');
    const location = response.headers.get('location') ?? '';
    t.match(location, simulator.url);
    t.ok((await bytesOf(await fetch(location))).equals(VIDEO));
    t.ok((await bytesOf(await fetch(`${video}?redirect=false`))).equals(VIDEO));
  });

  const broken: [string, Fault['do'], number, string][] = [
    ['resets before it answers', { reset: 'head' }, 502, 'video-unavailable'],
    ['resets in the head of its answer', { reset: 'mid-head' }, 502, 'video-unavailable'],
    ['closes without an answer', { close: 'request' }, 502, 'video-unavailable'],
    ['never answers', { hang: 'head' }, 502, 'video-unavailable'],
    ['answers 500', { status: 500 }, 502, 'video-unavailable'],
    ['answers 204', { status: 204 }, 502, 'video-unavailable'],
    [
      'redirects to nothing of the kind',
      { status: 302, headers: { location: '/elsewhere' } },
      503,
      'video-delayed',
    ],
    ['redirects nowhere', { status: 302 }, 502, 'video-unavailable'],
    ['does not have it yet: 403', { status: 403 }, 503, 'video-delayed'],
    ['does not have it yet: 404', { status: 404 }, 503, 'video-delayed'],
    ['does not have it yet: 410', { status: 410 }, 503, 'video-delayed'],
  ];
  for (const [name, fault, status, slug] of broken) {
    await t.test(`a host that ${name}`, async (t) => {
      simulator.inject({ on: 'result', do: fault });
      const response = await fetch(video);
      for (const name of ['etag', 'content-disposition']) {
        t.equal(response.headers.get(name), null, 'nothing is left of the video');
      }
      const { detail } = await isVideoProblem(t, response, status, slug);
      t.notMatch(detail, /sig=|results/, 'the signed URL is not shown');
      t.equal((await fetch(video)).status, 200, 'and the next time it is there');
    });
  }

  for (const [name, fault] of [
    ['resets', { reset: 'mid-body' }],
    ['closes', { close: 'mid-body' }],
    ['falls silent', { hang: 'mid-body' }],
  ] as const) {
    await t.test(`a host that ${name} in the middle: the caller is cut off too`, async (t) => {
      simulator.inject({ on: 'result', when: 'after', do: fault });
      const response = await fetch(video);
      t.equal(response.status, 200);
      await t.rejects(bytesOf(response));
    });
  }

  await t.test('the avatar stays succeeded whatever the host did', async (t) => {
    const id = video.split('/').at(-2) ?? '';
    t.match(await readAvatar(app.url, id), { status: 'succeeded', error: null });
  });

  await t.test('the key never went to the host', async (t) => {
    const calls = simulator
      .calls('result')
      .filter(({ headers }) => /gateway/.test(headers['user-agent'] ?? ''));
    t.ok(calls.length > 10);
    for (const { authorization, headers } of calls) {
      t.equal(authorization, false);
      t.notMatch(JSON.stringify(headers), DEFAULT_KEY);
    }
  });

  t.notMatch(app.logLines().join('\n'), /sig=/, 'no signed URL stands in the log');
});

t.test('a caller who hangs up while the host is asked', async (t) => {
  const app = await startApp(t, { modellix: { videoTimeoutMs: 600_000 } });
  const { simulator } = app;
  const video = await succeeded(app);
  const held = simulator.inject({ on: 'result', do: { hold: true } });
  const caller = new AbortController();
  const call = fetch(video, { signal: caller.signal });
  await held.met;
  const ended = simulator.nextEnd('result');
  caller.abort();
  await t.rejects(call);
  t.match(await ended, { status: null }, 'the host is hung up on');
  held.release();
});

t.test('before it is there, and when it never will be', async (t) => {
  const { url, simulator } = await startApp(t);
  const { id, task_id } = await createAvatar(url);
  const video = `${url}/avatars/${id}/video`;
  for (const each of [video, `${video}?redirect=true`]) {
    const { detail } = await isVideoProblem(
      t,
      await fetch(each, { redirect: 'manual' }),
      409,
      'video-not-ready',
    );
    t.match(detail, /The avatar is (pending|processing)/);
  }
  simulator.settle(task_id ?? '', { end: 'failed' });
  await until('failure', async () => ((await readAvatar(url, id)).status === 'failed' ? id : null), {
    everyMs: 10,
  });
  const { detail } = await isVideoProblem(t, await fetch(video), 409, 'video-not-ready');
  t.match(detail, /The avatar is failed/);
  t.strictSame(simulator.calls('result'), []);
});

t.test('after Modellix has dropped it', async (t) => {
  const app = await startApp(t, {
    simulator: { settings: { resultTtlMs: 0, taskMs: { min: 3_600_000, max: 3_600_000 } } },
  });
  await isVideoProblem(t, await fetch(await succeeded(app)), 410, 'video-gone');
});
