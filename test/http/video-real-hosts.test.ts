/** Hosts of videos as they are: they sign the verb, lag behind success, redirect, misname, and say "expired" in many words. */

import { readFile } from 'node:fs/promises';
import t from 'tap';
import { createClient } from '../../src/client/index.js';
import { startApp } from '../support/app.js';
import { readAvatar } from '../support/requests.js';
import { bytesOf, isVideoProblem, succeeded } from '../support/video.js';

const VIDEO = await readFile(new URL('../simulator/result.mp4', import.meta.url));
const MINUTE_MS = 60_000;

t.test('[E5] [R03] HEAD of a video whose URL is signed for GET alone', async (t) => {
  const app = await startApp(t);
  const { simulator } = app;
  const video = await succeeded(app);
  const queries = simulator.calls('query').length;
  for (const headers of [{}, { range: 'bytes=5-9' }, { range: 'bytes=99999999-' }]) {
    const head = await fetch(video, { method: 'HEAD', headers });
    t.equal(head.status, 200, `${JSON.stringify(headers)}: Range is for GET alone (RFC 9110, 14.2)`);
    t.match(Object.fromEntries(head.headers), {
      'content-type': 'video/mp4',
      'content-length': String(VIDEO.length),
      'accept-ranges': 'bytes',
      etag: /^".+"$/,
      'content-disposition': /^inline/,
    });
    t.equal(head.headers.get('content-range'), null);
    t.equal((await bytesOf(head)).length, 0);
  }
  t.equal((await fetch(video)).status, 200);
  t.equal(simulator.calls('query').length, queries, 'Modellix is not asked');
  const asked = simulator.calls('result');
  t.notOk(
    asked.some(({ method }) => method === 'HEAD'),
    'no HEAD ever goes to the host',
  );
});

t.test('[R04] [F67] a video that is not there yet is waited for', async (t) => {
  const app = await startApp(t);
  const { simulator } = app;
  simulator.configure({ resultLagMs: 10 * MINUTE_MS });
  const video = await succeeded(app);
  for (const method of ['GET', 'HEAD']) {
    const response = await fetch(video, { method });
    t.equal(response.status, 503, method);
    const retryAfter = Number(response.headers.get('retry-after'));
    t.ok(retryAfter >= 1 && retryAfter <= 60, `${retryAfter} s`);
  }
  await isVideoProblem(t, await fetch(video), 503, 'video-delayed');
  simulator.configure({ resultLagMs: 0 });
  t.ok((await bytesOf(await fetch(video))).equals(VIDEO), 'served as soon as it is there');
});

t.test('[R04] a client fetches a video that is not there yet once it is', async (t) => {
  const app = await startApp(t);
  const { simulator } = app;
  simulator.configure({ resultLagMs: 10 * MINUTE_MS });
  const id = (await succeeded(app)).split('/').at(-2) ?? '';
  const tooEarly = simulator.nextEnd('result');
  const fetching = createClient({ baseUrl: app.url }).video(id);
  t.match(await tooEarly, { status: 404 });
  simulator.configure({ resultLagMs: 0 });
  const { body } = await fetching;
  t.ok((await bytesOf(new Response(body))).equals(VIDEO));
});

t.test(
  '[R04] [F67] each word for expired leads to one query, and to the video where it exists',
  async (t) => {
    const app = await startApp(t);
    const { simulator } = app;
    for (const expiredStatus of [400, 401, 403, 404, 410] as const) {
      simulator.configure({ urlTtlMs: 1, expiredStatus });
      const video = await succeeded(app);
      simulator.configure({ urlTtlMs: 0 });
      const queries = simulator.calls('query').length;
      t.ok((await bytesOf(await fetch(video))).equals(VIDEO), String(expiredStatus));
      t.equal((await fetch(video)).status, 200);
      t.equal(simulator.calls('query').length, queries + 1, 'asked once');
    }
  },
);

t.test('[R04] [F67] a video that does not come while it is young is gone', async (t) => {
  const app = await startApp(t);
  const { simulator } = app;
  for (const expiredStatus of [400, 401, 403, 404, 410] as const) {
    // What Modellix says of it: it is over.
    simulator.configure({ resultTtlMs: 0, expiredStatus });
    await isVideoProblem(t, await fetch(await succeeded(app)), 410, 'video-gone');
  }
});

t.test('[F67] a host that redirects to an edge and misnames what is there', async (t) => {
  const app = await startApp(t);
  const { simulator } = app;
  simulator.configure({ resultEdge: true, resultType: 'binary/octet-stream' });
  const video = await succeeded(app);
  const whole = await fetch(video);
  t.equal(whole.status, 200);
  t.equal(whole.headers.get('content-type'), 'video/mp4');
  t.ok((await bytesOf(whole)).equals(VIDEO));
  const part = await fetch(video, { headers: { range: 'bytes=10-19' } });
  t.match([part.status, part.headers.get('content-range')], [206, `bytes 10-19/${VIDEO.length}`]);
  t.ok((await bytesOf(part)).equals(VIDEO.subarray(10, 20)), 'the range goes along');
  t.equal((await fetch(video, { method: 'HEAD' })).headers.get('content-length'), String(VIDEO.length));
  const id = video.split('/').at(-2) ?? '';
  t.match(await readAvatar(app.url, id), { status: 'succeeded' });
});

t.test('[E14] [R14] the content type of a video', async (t) => {
  const app = await startApp(t);
  const { simulator } = app;
  const video = await succeeded(app);
  for (const [said, served] of [
    ['application/octet-stream', 'video/mp4'],
    ['binary/octet-stream', 'video/mp4'],
    ['text/html', 'video/mp4'],
    ['', 'video/mp4'],
    ['x-video/mp4', 'video/mp4'],
    ['video/webm', 'video/webm'],
    ['Video/MP4; codecs="avc1"', 'Video/MP4; codecs="avc1"'],
  ] as const) {
    simulator.configure({ resultType: said });
    for (const init of [{}, { headers: { range: 'bytes=0-9' } }, { method: 'HEAD' }]) {
      const response = await fetch(video, init);
      t.equal(response.headers.get('content-type'), served, `${said} ${JSON.stringify(init)}`);
      await response.arrayBuffer();
    }
  }
});
