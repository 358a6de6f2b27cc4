/** A gateway that callers reach below a path, which a proxy takes away. */

import t, { type Test } from 'tap';
import { startApp } from '../support/app.js';
import { EventReader } from '../support/events.js';
import { pathRelay } from '../support/path-relay.js';
import { createAvatar, postJson, URLS } from '../support/requests.js';
import { until } from '../support/until.js';

const PATH = '/gw';

async function behindPath(t: Test) {
  const { url, pass } = await pathRelay(t, PATH);
  const app = await startApp(t, { publicUrl: url });
  pass(app.url);
  return { url, app };
}

t.test('[R13] every link leads back through the proxy', async (t) => {
  const { url, app } = await behindPath(t);
  const origin = new URL(url).origin;
  const created = await postJson(url, URLS);
  t.equal(created.status, 202);
  const location = created.headers.get('location') ?? '';
  t.match(location, /^\/gw\/avatars\/av_[0-9a-f]{32}$/);
  const { id, links } = (await created.json()) as { id: string; links: Record<string, string> };
  t.strictSame(links, { self: location, events: `${location}/events`, video: `${location}/video` });
  t.equal((await fetch(origin + location)).status, 200);

  await createAvatar(url);
  const page = await fetch(`${url}/avatars?limit=1&status=pending,queued`);
  const next = /^<(.*)>; rel="next"$/.exec(page.headers.get('link') ?? '')?.[1] ?? '';
  t.match(next, /^\/gw\/avatars\?/);
  const { data } = (await (await fetch(origin + next)).json()) as { data: { id: string }[] };
  t.strictSame(
    data.map((each) => each.id),
    [id],
    'the next page',
  );

  app.simulator.settle(app.simulator.ledger()[0]?.taskId ?? '', { end: 'success' });
  const done = await until('succeeded', async () => {
    const avatar = (await (await fetch(`${url}/avatars/${id}`)).json()) as {
      status: string;
      video: { url: string };
    };
    return avatar.status === 'succeeded' ? avatar : null;
  });
  t.equal(done.video.url, `${location}/video`);
  t.equal((await fetch(origin + done.video.url)).status, 200);

  const reader = await EventReader.open(origin + links.events);
  t.strictSame((await reader.next())?.avatar.links, links, 'in an event');
  reader.drop();
});

t.test('[R13] a client of Modellix polls and downloads through the proxy', async (t) => {
  const { url, app } = await behindPath(t);
  const submit = await fetch(`${url}/api/v1/kling/kling-avatar/async`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(URLS),
  });
  const { data } = (await submit.json()) as { data: { task_id: string; get_result: { url: string } } };
  t.equal(data.get_result.url, `${url}/api/v1/tasks/${data.task_id}`);
  app.simulator.settle(app.simulator.ledger()[0]?.taskId ?? '', { end: 'success' });
  const task = await until('success', async () => {
    const { data: task } = (await (await fetch(data.get_result.url)).json()) as {
      data: { status: string; result?: { resources: { url: string }[] } };
    };
    return task.status === 'success' ? task : null;
  });
  const video = task.result?.resources[0]?.url ?? '';
  t.match(video, new RegExp(`^${url}/avatars/`));
  t.equal((await fetch(video)).status, 200);
});

t.test('[R13] a proxy may leave the path in place, and paths of ours stay ours', async (t) => {
  const { app } = await behindPath(t);
  for (const path of [
    '/avatars',
    '/usage',
    '/livez',
    '/readyz',
    '/metrics',
    '/openapi.json',
    '/docs',
    '/docs/',
    '/api/v1/models',
  ]) {
    t.equal((await fetch(app.url + PATH + path)).status, 200, path);
    t.equal((await fetch(app.url + path)).status, 200, path);
  }
  t.equal((await fetch(`${app.url}${PATH}/nowhere`)).status, 404);
  t.equal((await fetch(`${app.url}${PATH}s/avatars`)).status, 404);
  const same = await startApp(t, { publicUrl: 'https://company.example/avatars' });
  const { id, links } = (await (await postJson(same.url, URLS)).json()) as {
    id: string;
    links: { self: string };
  };
  t.equal(links.self, `/avatars/avatars/${id}`);
  for (const path of [links.self, `/avatars/${id}`])
    t.equal((await fetch(same.url + path)).status, 200, path);
});

t.test('[R13] the documents name the path', async (t) => {
  const { url } = await behindPath(t);
  const document = (await (await fetch(`${url}/openapi.json`)).json()) as { servers: { url: string }[] };
  t.strictSame(
    document.servers.map((each) => each.url),
    ['/gw'],
  );
  for (const path of ['/docs', '/docs/']) {
    const html = await (await fetch(url + path)).text();
    const assets = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(
      ([, asset = '']) => new URL(asset, url + path).href,
    );
    t.not(assets.length, 0);
    for (const asset of assets) t.equal((await fetch(asset)).status, 200, asset);
  }
});

t.test('without one, links are as they ever were', async (t) => {
  const { url } = await startApp(t, { publicUrl: 'https://avatars.example' });
  t.match((await postJson(url, URLS)).headers.get('location'), /^\/avatars\/av_/);
});
