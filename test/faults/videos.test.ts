import { readFile } from 'node:fs/promises';
import t from 'tap';
import { finishedTask } from '../http/dropin/support.js';
import { callersFile } from '../support/callers.js';
import { readAvatar } from '../support/requests.js';
import { bytesOf, isVideoProblem, succeeded } from '../support/video.js';
import { showCases } from './cases.js';
import { startWorld } from './world.js';

t.setTimeout(600_000);

const VIDEO = await readFile(new URL('../simulator/result.mp4', import.meta.url));

await showCases(t, 'videos', {
  async 67(t, store) {
    const app = await startWorld(t, store);
    const { simulator } = app;
    const isServed = async (url: string, what: string) => {
      t.equal((await fetch(url, { method: 'HEAD' })).status, 200, `HEAD: ${what}`);
      const response = await fetch(url);
      t.equal(response.headers.get('content-type'), 'video/mp4', what);
      t.ok((await bytesOf(response)).equals(VIDEO), what);
    };
    simulator.configure({ resultLagMs: 600_000 });
    const late = await succeeded(app);
    const delayed = await fetch(late);
    t.match(delayed.headers.get('retry-after'), /^\d+$/);
    await isVideoProblem(t, delayed, 503, 'video-delayed');
    simulator.configure({ resultLagMs: 0 });
    await isServed(late, 'it lagged');

    for (const expiredStatus of [400, 401, 403, 404, 410] as const) {
      simulator.configure({ urlTtlMs: 1, expiredStatus });
      const video = await succeeded(app);
      simulator.configure({ urlTtlMs: 0 });
      await isServed(video, `${expiredStatus} for a URL that is over`);
      simulator.configure({ resultTtlMs: 0 });
      const gone = await succeeded(app);
      await isVideoProblem(t, await fetch(gone), 410, 'video-gone');
      t.match(await readAvatar(app.url, gone.split('/').at(-2) ?? ''), { status: 'succeeded' });
      simulator.configure({ resultTtlMs: 86_400_000 });
    }

    simulator.configure({ resultEdge: true, resultType: 'binary/octet-stream' });
    await isServed(await succeeded(app), 'it redirects and misnames');
    const verbs = simulator.calls('result').map(({ method }) => method);
    t.notOk(verbs.includes('HEAD'), 'a URL is signed for GET alone');
  },

  async 68(t, store) {
    const { file, as } = await callersFile(t, { shop: {}, other: {} });
    const app = await startWorld(t, store, { callers: { kind: 'file', file } });
    const { id, link } = await finishedTask(t, app, as('shop'));
    const second = await finishedTask(t, app, as('other'));
    t.ok((await bytesOf(await fetch(link))).equals(VIDEO), 'without a key');
    const later = link.replace(/expires=(\d+)/, (_, at) => `expires=${Number(at) + 1}`);
    for (const forged of [link.replaceAll(id, second.id), later]) {
      await isVideoProblem(t, await fetch(forged), 403, 'forbidden');
    }
    const { search } = new URL(link);
    for (const path of [`/avatars/${id}`, `/api/v1/tasks/${id}`, '/avatars']) {
      t.equal((await fetch(app.url + path + search)).status, 401, path);
    }
    const atNext = async () => {
      await app.close();
      const next = await app.restart();
      const response = await fetch(link.replace(app.url, next.url));
      await next.close();
      return response.status;
    };
    t.equal(await atNext(), 200, 'known to the next one');
    // Nobody can set the clock of Redis.
    if (store === 'redis') return;
    await app.pass(3_601_000);
    t.equal(await atNext(), 403, 'over');
  },
});
