/** How an avatar is told as a task, and where it says that things are. */

import t, { type Test } from 'tap';
import type { Avatar, Failure, Video } from '../../../src/domain/avatar.js';
import {
  accepted,
  beginSubmit,
  canceled,
  failed,
  newAvatar,
  polled,
  succeeded,
  timedOut,
  unconfirmed,
} from '../../../src/domain/moves.js';
import { startApp } from '../../support/app.js';
import { createAvatar, sendRaw } from '../../support/requests.js';
import { serverFor } from '../../support/server.js';
import { until } from '../../support/until.js';
import { dataOf, readTask, refused, submitTask } from './support.js';

const queued = newAvatar(
  {
    id: 'av_1',
    caller: 'anonymous',
    idempotency: null,
    mode: 'std',
    prompt: null,
    externalId: null,
    metadata: {},
    image: { source: 'url', format: null, width: null, height: null, bytes: null },
    audio: { source: 'audio_id', format: null, durationSeconds: null, bytes: null },
    costEstimateUsd: null,
    spend: null,
    traceparent: null,
    startBy: null,
    callbackUrl: null,
  },
  1_000,
);
const submitting = beginSubmit(queued, 'key', 'intent');
const pending = accepted(submitting, 'task-1', 2_000);
const over = { now: 5_500, retentionMs: 10_000 };
const why: Failure = { type: 'task-failed', detail: 'No face.', upstreamStatus: null };
const video: Video = {
  url: 'https://modellix.example/signed?secret',
  format: null,
  width: null,
  height: null,
  bytes: null,
  expiresAt: null,
  keptBytes: null,
};

/** The data of a query for an avatar. */
async function told(t: Test, avatar: Avatar) {
  const server = await serverFor(t, {
    read: async () => ({ avatar, queue: null }),
    videoLink: async () => ({ expires: '1', signature: 'abc' }),
  });
  const { body } = await server.inject({ url: '/api/v1/tasks/av_1', headers: { host: 'gateway' } });
  return (JSON.parse(body) as { data: Record<string, unknown> }).data;
}

t.test('each status', async (t) => {
  const common = { task_id: 'av_1', model_id: 'kling-avatar' };
  const unfinished: [Avatar, string][] = [
    [queued, 'pending'],
    [submitting, 'pending'],
    [pending, 'pending'],
    [polled(pending, 'processing', 3_000), 'processing'],
  ];
  for (const [avatar, status] of unfinished) {
    t.strictSame(await told(t, avatar), { ...common, status }, avatar.status);
  }
  const ended = [
    failed(pending, why, over),
    timedOut(pending, why, over),
    unconfirmed(submitting, why, over),
  ];
  for (const avatar of ended) {
    const expected = { ...common, status: 'failed', error: 'No face.', message: 'No face.' };
    t.strictSame(await told(t, avatar), expected, avatar.status);
  }
  t.match(await told(t, canceled(queued, over)), { status: 'failed', error: /canceled.*Nothing was spent/ });
});

t.test('a success', async (t) => {
  const url = 'http://gateway/avatars/av_1/video/av_1.mp4?expires=1&signature=abc';
  t.strictSame(await told(t, succeeded(pending, video, over, false)), {
    status: 'success',
    task_id: 'av_1',
    model_id: 'kling-avatar',
    duration: 3_500,
    result: { resources: [{ url, type: 'video', role: 'primary', format: 'mp4' }] },
    result_expires_at: 15_500,
  });
  const known: Video = { ...video, format: 'webm', width: 720, height: 960, bytes: 7, expiresAt: 9_000 };
  t.match(await told(t, succeeded(pending, known, over, false)), {
    result: { resources: [{ url, format: 'webm', width: 720, height: 960, size: 7 }] },
    result_expires_at: 9_000,
  });
  const kept = succeeded(pending, { ...known, keptBytes: 7 }, over, false);
  t.match(await told(t, kept), { result_expires_at: 15_500 }, 'what the gateway has itself stays longer');
});

t.test('the video is where the task says, under a name of its own', async (t) => {
  const { url, simulator } = await startApp(t);
  const { id, task_id } = await createAvatar(url);
  const named = `${url}/avatars/${id}/video/${id}.mp4`;
  t.match(await (await fetch(named)).json(), { type: /:video-not-ready$/, instance: `/avatars/${id}/video` });
  simulator.settle(String(task_id), { end: 'success' });
  const data = await until('success', async () => {
    const task = await readTask(t, url, id);
    return task.status === 'success' ? task : null;
  });
  const { result } = data as { result: { resources: [{ url: string }] } };
  t.match(result.resources, [{ size: Number, width: 720 }]);
  t.equal(result.resources[0].url.split('?')[0], named);
  const bytes = await (await fetch(named)).arrayBuffer();
  t.strictSame(bytes, await (await fetch(`${url}/avatars/${id}/video`)).arrayBuffer());
  const part = await fetch(named, { headers: { range: 'bytes=0-9' } });
  t.equal(part.status, 206);
  t.equal((await fetch(`${named}?redirect=true`, { redirect: 'manual' })).status, 302);
  t.equal((await fetch(`${url}/avatars/${id}/video/${id}.exe`)).status, 404);
});

t.test('wait=true holds the answer until the task has ended', async (t) => {
  const { url, simulator } = await startApp(t);
  const { id, task_id } = await createAvatar(url);
  let isSettled = false;
  const waiting = fetch(`${url}/api/v1/tasks/${id}?wait=true`).then(async (response) => {
    t.ok(isSettled, 'not before');
    return dataOf(t, response);
  });
  for (const query of ['?wait=false', '?wait=', '?wait=1&wait=true']) {
    const at = await fetch(`${url}/api/v1/tasks/${id}${query}`);
    t.match(await dataOf(t, at), { status: 'pending' }, `${query} does not wait`);
  }
  isSettled = true;
  simulator.settle(String(task_id), { end: 'failed', reason: 'Generation failed: no face' });
  t.match(await waiting, { status: 'failed', error: 'Generation failed: no face' });
  const ended = await fetch(`${url}/api/v1/tasks/${id}?wait=true`);
  t.match(await dataOf(t, ended), { status: 'failed' }, 'nothing is left to wait for');
  await refused(t, await fetch(`${url}/api/v1/tasks/av_0?wait=true`), 404, 'no such task');
});

t.test('where nobody more may wait, the answer comes at once', async (t) => {
  const { url } = await startApp(t, { maxWaiters: 0 });
  const { id } = await createAvatar(url);
  // Well before a wait would be over.
  const signal = AbortSignal.timeout(30_000);
  const response = await fetch(`${url}/api/v1/tasks/${id}?wait=true`, { signal });
  t.match(await dataOf(t, response), { status: 'pending' });
});

t.test('what URLs begin with', async (t) => {
  const urlOf = (data: Record<string, unknown>) => (data.get_result as { url: string }).url;
  const { url, close } = await startApp(t, {
    callers: { kind: 'anyone' },
    allowedHosts: ['gateway.test'],
  });
  const body = JSON.stringify({ image: 'https://example.com/a.jpg', audio_id: 'a' });
  const submit = async (version: string, ...headers: string[]) => {
    const head = [`POST /api/v1/kling/kling-avatar HTTP/${version}`, ...headers, 'Connection: close'];
    const length = `Content-Length: ${body.length}`;
    const text = await sendRaw(
      url,
      [...head, 'Content-Type: application/json', length, '', body].join('\r\n'),
    );
    const { data } = JSON.parse(text.slice(text.indexOf('\r\n\r\n') + 4)) as {
      data: Record<string, unknown>;
    };
    return urlOf(data).replace(/\/api\/v1\/tasks\/av_[0-9a-f]{32}$/, '');
  };
  t.equal(await submit('1.1', 'Host: gateway.test:81'), 'http://gateway.test:81');
  t.equal(await submit('1.0'), url, 'without a Host: where the request arrived');
  t.equal(await submit('1.1', 'Host: evil@gateway.test/x?'), 'http://gateway.test');
  await close();

  const behind = await startApp(t, { publicUrl: 'https://avatars.example' });
  const data = await dataOf(t, await submitTask(behind.url, JSON.parse(body)));
  t.equal(urlOf(data), `https://avatars.example/api/v1/tasks/${data.task_id}`);
});

t.test('about the account', async (t) => {
  const { url } = await startApp(t);
  const get = (path: string) => fetch(`${url}/api/v1/${path}`);
  t.strictSame(await dataOf(t, await get('apikey/validate')), { is_valid: true });
  const models = (await (await get('models?category=video&page=1')).json()) as Record<string, unknown>;
  t.match(models, { models: [{ slug: 'kling/kling-avatar', type: 'image-to-video' }] });
});

t.test('nobody is told to come while no task can be taken', async (t) => {
  const away = () => Promise.reject(new Error('away'));
  const server = await serverFor(t, { ready: away });
  t.equal((await server.inject('/api/v1/apikey/validate')).statusCode, 500);
});
