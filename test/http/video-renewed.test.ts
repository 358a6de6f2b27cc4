/** Videos whose signed URLs are over: Modellix is asked once where they are now. */

import { readFileSync } from 'node:fs';
import t from 'tap';
import { startApp } from '../support/app.js';
import { STORES, startReplicas } from '../support/replicas.js';
import { readAvatar } from '../support/requests.js';
import { until } from '../support/until.js';
import { bytesOf, isVideoProblem, succeeded } from '../support/video.js';

const VIDEO = readFileSync(new URL('../simulator/result.mp4', import.meta.url));

/** Their URLs are over as soon as they are known. */
const AT_ONCE = { urlTtlMs: 1 };
const idOf = (video: string) => video.split('/').at(-2) ?? '';

for (const store of STORES) {
  t.test(`${store}: many ask for a video whose URL is over`, async (t) => {
    const { one, other } = await startReplicas(t, store);
    const { simulator } = one;
    simulator.configure(AT_ONCE);
    const video = await succeeded(one);
    simulator.configure({ urlTtlMs: 0 });
    const queries = simulator.calls('query').length;
    const all = await Promise.all(Array.from({ length: 30 }, () => fetch(video)));
    for (const response of all) {
      t.equal(response.status, 200);
      t.ok((await bytesOf(response)).equals(VIDEO));
    }
    t.equal(simulator.calls('query').length, queries + 1, 'Modellix is asked once');

    const elsewhere = video.replace(one.url, other.url);
    const asked = simulator.calls('result').length;
    t.equal((await fetch(elsewhere)).status, 200);
    t.equal(simulator.calls('query').length, queries + 1, 'and not again: the new URL is in the record');
    t.equal(simulator.calls('result').length, asked + 1);
  });
}

t.test('a video that is over by what Modellix said', async (t) => {
  const app = await startApp(t);
  const { simulator } = app;
  simulator.configure({ resultTtlMs: 0 });
  const video = await succeeded(app);
  simulator.configure({ resultTtlMs: 3_600_000 });
  const queries = simulator.calls('query').length;
  const response = await fetch(`${video}?redirect=true`, { redirect: 'manual' });
  t.equal(response.status, 302);
  t.same(simulator.calls('result'), [], 'the host is not asked for what is over');
  t.equal((await fetch(response.headers.get('location') ?? '')).status, 200);
  t.equal((await fetch(video)).status, 200);
  t.equal(simulator.calls('query').length, queries + 1);
  const { video: view } = await readAvatar(app.url, idOf(video));
  t.ok(Date.parse(view?.expires_at ?? '') > Date.now(), 'the avatar says when it is over now');
});

t.test('a video that is gone for good', async (t) => {
  const app = await startApp(t);
  const { simulator } = app;
  const forgotten = await succeeded(app);
  simulator.forget((await readAvatar(app.url, idOf(forgotten))).task_id ?? '');
  simulator.configure({ resultTtlMs: 0 });
  const dropped = await succeeded(app);
  for (const video of [forgotten, dropped]) {
    const queries = simulator.calls('query').length;
    for (const each of [video, `${video}?redirect=true`, video]) {
      if (video === forgotten && each !== video) continue; // That it is gone is known only to its host.
      await isVideoProblem(t, await fetch(each, { redirect: 'manual' }), 410, 'video-gone');
    }
    t.equal(simulator.calls('query').length, queries + 1, 'asked once, however often it is wanted');
    t.match(await readAvatar(app.url, idOf(video)), { status: 'succeeded', error: null });
  }
});

t.test('while Modellix cannot be asked', async (t) => {
  const app = await startApp(t);
  const { simulator } = app;
  simulator.configure(AT_ONCE);
  const video = await succeeded(app);
  simulator.configure({ urlTtlMs: 0 });
  const wanted = async () => {
    const response = await fetch(video);
    await isVideoProblem(t, response, 503, 'video-delayed');
    return Number(response.headers.get('retry-after'));
  };
  simulator.inject({ on: 'query', do: { status: 500 } });
  t.equal(await wanted(), 5);
  simulator.inject({ on: 'query', do: { status: 429, headers: { 'retry-after': '2' } } });
  t.equal(await wanted(), 2);
  const queries = simulator.calls('query').length;
  t.ok((await wanted()) <= 2, 'it waits as Modellix said');
  t.equal(simulator.calls('query').length, queries, 'and is not asked meanwhile');
  await until('it is asked', async () => ((await fetch(video)).status === 200 ? true : null));
});
