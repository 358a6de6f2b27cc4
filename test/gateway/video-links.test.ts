import t from 'tap';
import { type VideoLink, VideoLinks } from '../../src/gateway/video/links.js';
import { clockedStore, NOW } from './clocked.js';

const EXPIRED = { slug: 'forbidden', message: /has expired/ };
const FORGED = { slug: 'forbidden', message: /not valid/ };

t.test("[R05] [F68] a link is good for an hour of the store's clock, wherever it is checked", async (t) => {
  const { store, pass } = await clockedStore(t);
  const [one, other] = [new VideoLinks(store), new VideoLinks(store)];
  const [link, another] = await Promise.all([one.sign('av_1'), other.sign('av_1')]);
  t.same(link, another, 'whoever makes the secret first');
  t.equal(link.expires, String(NOW / 1000 + 3_600));
  pass(3_599_999);
  for (const links of [one, other, new VideoLinks(store)]) {
    await links.check('av_1', link);
    await t.rejects(links.check('av_2', link), FORGED);
  }
  pass(1);
  await t.rejects(one.check('av_1', link), EXPIRED);
  await t.rejects(one.check('av_1', { ...link, expires: `${NOW}` }), FORGED, 'nobody gives it more time');
  await one.check('av_1', await other.sign('av_1'));
});

t.test('[R05] links of one store are good for nothing at another', async (t) => {
  const made: VideoLink[] = [];
  for (const name of ['here', 'there']) {
    await t.test(name, async (t) => {
      const links = new VideoLinks((await clockedStore(t)).store);
      for (const link of made) await t.rejects(links.check('av_1', link), FORGED);
      made.push(await links.sign('av_1'));
    });
  }
});
