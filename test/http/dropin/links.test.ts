/** The result URLs of tasks are links: whoever has one has that video, for an hour, without a key. */

import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { request } from 'node:http';
import t, { type Test } from 'tap';
import { startApp } from '../../support/app.js';
import { callersFile, keyOf } from '../../support/callers.js';
import { STORES, startReplicas } from '../../support/replicas.js';
import { URLS } from '../../support/requests.js';
import { until } from '../../support/until.js';
import { bytesOf, isVideoProblem } from '../../support/video.js';
import { dataOf, finishedTask, submitTask } from './support.js';

const VIDEO = await readFile(new URL('../../simulator/result.mp4', import.meta.url));
const HOUR_S = 3_600;

async function withCallers(t: Test) {
  const { file, as } = await callersFile(t, { shop: {}, other: {} });
  return { callers: { kind: 'file', file } as const, as };
}

for (const store of STORES) {
  t.test(`${store}: [R05] [F68] the result URL of a task works without a key`, async (t) => {
    const { callers, as } = await withCallers(t);
    const { one, other } = await startReplicas(t, store, { callers });
    const { id, link } = await finishedTask(t, one, as('shop'));
    t.match(link, new RegExp(`^${one.url}/avatars/${id}/video/${id}\\.mp4\\?`), 'its path ends in a name');
    for (const url of [link, link.replace(one.url, other.url)]) {
      const whole = await fetch(url);
      t.equal(whole.status, 200, url === link ? 'here' : 'at another replica');
      t.equal(whole.headers.get('content-type'), 'video/mp4');
      t.ok((await bytesOf(whole)).equals(VIDEO));
      const part = await fetch(url, { headers: { range: 'bytes=10-19' } });
      t.equal(part.status, 206);
      t.ok((await bytesOf(part)).equals(VIDEO.subarray(10, 20)));
      const head = await fetch(url, { method: 'HEAD' });
      t.same([head.status, head.headers.get('content-length')], [200, String(VIDEO.length)]);
      t.equal((await fetch(`${url}&download=true`)).status, 200);
    }
    const another = await finishedTask(t, one, as('shop'));
    t.not(another.link, link);
  });
}

t.test('[R05] [F68] a link is good for one video, for an hour, as it was given', async (t) => {
  const { callers, as } = await withCallers(t);
  const app = await startApp(t, { callers });
  const { id, link } = await finishedTask(t, app, as('shop'));
  const second = await finishedTask(t, app, as('other'));
  const expires = Number(new URL(link).searchParams.get('expires'));
  const leftS = expires - Date.now() / 1000;
  t.ok(leftS > HOUR_S - 60 && leftS <= HOUR_S + 1, `${leftS} s`);

  const changed = (change: Record<string, string>) => {
    const url = new URL(link);
    for (const [name, value] of Object.entries(change)) url.searchParams.set(name, value);
    return url.href;
  };
  const signature = String(new URL(link).searchParams.get('signature'));
  const forged = {
    'another video': link.replaceAll(id, second.id),
    'a later end': changed({ expires: String(expires + 1) }),
    'an end that is no number': changed({ expires: 'never' }),
    'an end in another spelling': changed({ expires: `0${expires}` }),
    'another signature': changed({ signature: signature.replace(/^./, (c) => (c === 'A' ? 'B' : 'A')) }),
    'a short signature': changed({ signature: signature.slice(0, -1) }),
    'a long signature': changed({ signature: `${signature}A` }),
    'no signature': changed({ signature: '' }),
    'a signature alone': link.replace(/expires=\d+&?/, ''),
  };
  for (const [what, url] of Object.entries(forged)) {
    t.not(url, link, what);
    for (const headers of [{}, as('other')]) {
      const response = await fetch(url, { headers });
      const { detail } = await isVideoProblem(t, response, 403, 'forbidden');
      t.match(detail, /link/, what);
    }
  }
  t.equal(
    (await fetch(link, { headers: { authorization: 'Bearer wrong' } })).status,
    200,
    'keys are not looked at',
  );
  t.equal((await fetch(link, { headers: as('other') })).status, 200);
  const bare = new URL(link);
  bare.search = '';
  t.equal((await fetch(bare)).status, 401, 'without the signature a key is asked for');
  t.equal((await fetch(bare, { headers: as('shop') })).status, 200);
  t.equal((await fetch(bare, { headers: as('other') })).status, 404);
  for (const path of [`/avatars/${id}`, `/avatars/${id}/deliveries`, '/avatars', `/api/v1/tasks/${id}`]) {
    const { search } = new URL(link);
    t.equal((await fetch(app.url + path + search)).status, 401, `${path} is no video`);
  }
  t.equal((await fetch(`${app.url}/avatars/${id}${new URL(link).search}`, { method: 'DELETE' })).status, 401);
  t.notMatch(app.logLines().join('\n'), signature, 'no signature stands in the log');

  t.equal((await fetch(`${app.url}/avatars/${id}`, { method: 'DELETE', headers: as('shop') })).status, 204);
  t.equal((await fetch(link)).status, 404, 'it ends with its avatar');
});

t.test('[R05] [F68] a link of before a restart', async (t) => {
  const { callers, as } = await withCallers(t);
  const dataDir = t.testdir();
  const first = await startApp(t, { callers, dataDir });
  const { id, link } = await finishedTask(t, first, as('shop'));
  await first.close();
  const second = await startApp(t, { callers, dataDir, beside: first.simulator });
  t.equal((await fetch(link.replace(first.url, second.url))).status, 200, id);
});

t.test(
  '[R05] [F65] where no key is asked for a link opens no door to pages and other machines',
  async (t) => {
    const app = await startApp(t);
    const { link } = await finishedTask(t, app, { authorization: 'Bearer any' });
    t.equal((await fetch(link)).status, 200);
    for (const headers of [
      { origin: 'https://evil.example' },
      { 'sec-fetch-site': 'cross-site' },
      { host: 'evil.example' },
      { 'x-forwarded-for': '203.0.113.7' },
    ]) {
      const call = request(link, { headers, agent: false }).end();
      const [response] = await once(call, 'response');
      response.resume();
      t.equal(response.statusCode, 403, JSON.stringify(headers));
    }
  },
);

t.test('[R05] [F68] one gateway before another that asks for keys', async (t) => {
  const { callers, as } = await withCallers(t);
  const inner = await startApp(t, { callers });
  const outer = await startApp(t, { modellix: { baseUrl: inner.url, keys: [keyOf('shop')] } });
  const made = await dataOf(t, await submitTask(outer.url, URLS));
  const read = async (url: string, id: string) =>
    (await (await fetch(`${url}/avatars/${id}`, { headers: as('shop') })).json()) as {
      task_id: string;
      status: string;
    };
  const { task_id } = await read(outer.url, String(made.task_id));
  inner.simulator.settle((await read(inner.url, task_id)).task_id, { end: 'success' });
  await until('success', async () =>
    (await read(outer.url, String(made.task_id))).status === 'succeeded' ? true : null,
  );
  const video = await fetch(`${outer.url}/avatars/${made.task_id}/video`);
  t.equal(video.status, 200);
  t.ok((await bytesOf(video)).equals(VIDEO));
});
