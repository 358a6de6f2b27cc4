/** Videos through the client. */

import { readFileSync } from 'node:fs';
import t from 'tap';
import { createClient, type Video } from '../../src/client/index.js';
import { startApp } from '../support/app.js';
import { URLS } from '../support/requests.js';
import { rejection, startScripted } from './support.js';

const VIDEO = readFileSync(new URL('../simulator/result.mp4', import.meta.url));
const bytesOf = async ({ body }: Video) => Buffer.from(await new Response(body).arrayBuffer());

t.test('a video', async (t) => {
  const { url, simulator } = await startApp(t);
  const client = createClient({ baseUrl: url });
  const { id, task_id } = await client.create(URLS);
  t.match(await rejection(client.video(id)), { status: 409, type: 'video-not-ready' });
  simulator.settle(String(task_id), { end: 'success' });
  await client.wait(id);

  await t.test('all of it', async (t) => {
    const video = await client.video(id, { signal: new AbortController().signal });
    t.match(video, {
      status: 200,
      contentType: 'video/mp4',
      contentLength: VIDEO.length,
      contentRange: null,
      etag: /^"/,
    });
    t.ok((await bytesOf(video)).equals(VIDEO));
  });

  await t.test('a range of it', async (t) => {
    const video = await client.video(id, { range: 'bytes=10-19' });
    t.match(video, { status: 206, contentLength: 10, contentRange: `bytes 10-19/${VIDEO.length}` });
    t.ok((await bytesOf(video)).equals(VIDEO.subarray(10, 20)));
    t.match(await rejection(client.video(id, { range: 'bytes=99999999-' })), { status: 416 });
  });
});

t.test('takes as long as it takes, but not longer than it is wanted', async (t) => {
  const closed: Promise<void>[] = [];
  const server = await startScripted(t, (response) => {
    closed.push(new Promise((resolve) => response.once('close', resolve)));
    response.writeHead(200, { 'content-type': 'video/mp4' }).write('a');
    setTimeout(() => response.write('b'), 1_500);
  });
  const client = createClient({ baseUrl: server.url, requestTimeoutMs: 1_000 });
  const leave = new AbortController();
  const { body } = await client.video('av_1', { signal: leave.signal });
  const reader = body.getReader();
  const text = async () => new TextDecoder().decode((await reader.read()).value);
  t.equal(await text(), 'a');
  t.equal(await text(), 'b', 'after the time of an attempt');
  const reason = new Error('enough');
  leave.abort(reason);
  t.equal(await rejection(reader.read()), reason);
  await closed[0];

  const { body: other } = await client.video('av_1');
  await other.cancel();
  await closed[1];
});
