/** The documentation as a person uses it: Swagger UI in a real browser, against a running gateway. */

import type { Locator } from 'playwright-core';
import t from 'tap';
import type { AvatarView } from '../../src/http/schemas/avatar.js';
import { pathRelay } from '../support/path-relay.js';
import { browserFor, complaintsOf } from './browser.js';
import { gatewayFor, settingsFor, simulatorFor, tempDir } from './support.js';

t.setTimeout(600_000);

/** Presses Execute in an operation and waits until the answer of the server is shown. */
async function execute(operation: Locator): Promise<{ status: string; body: string }> {
  await operation.locator('button.execute').click();
  const answer = operation.locator('.live-responses-table tbody tr.response').first();
  await answer.locator('.response-col_status').waitFor();
  const status = await answer.locator('.response-col_status').innerText();
  return { status: status.trim(), body: await answer.locator('.highlight-code pre').first().innerText() };
}

t.test(
  'a person opens the documentation, tries the example as it is, and reads what came of it',
  async (t) => {
    const simulator = await simulatorFor(t, { settings: { taskMs: { min: 600_000, max: 600_000 } } });
    const gateway = await gatewayFor(t, { ...settingsFor(simulator), DATA_DIR: await tempDir(t) });
    const page = await (await browserFor(t)).newPage({ viewport: { width: 1280, height: 1600 } });
    page.setDefaultTimeout(60_000);
    const complaints = complaintsOf(page);

    await page.goto(`${gateway.url}/docs`, { waitUntil: 'networkidle' });
    const create = page.locator('#operations-avatars-createAvatar');
    await create.waitFor();
    t.match(await page.locator('.info .title').innerText(), /avatar-gateway/);
    t.strictSame(complaints, [], 'nothing to complain about once it is loaded');

    await create.locator('.opblock-summary-control').click();
    const created = await execute(create);
    t.equal(created.status, '202');
    const avatar = JSON.parse(created.body) as AvatarView;
    t.match(avatar, { id: /^av_[0-9a-f]{32}$/, status: 'pending', mode: 'std', image: { source: 'inline' } });
    const [task, ...more] = simulator.ledger();
    t.equal(avatar.task_id, task?.taskId);
    t.strictSame(more, [], 'one click, one task');

    const get = page.locator('#operations-avatars-getAvatar');
    await get.locator('.opblock-summary-control').click();
    await get.locator('input[placeholder="id"]').fill(avatar.id);
    const got = await execute(get);
    t.equal(got.status, '200');
    t.equal((JSON.parse(got.body) as AvatarView).id, avatar.id);

    const authorize = page.locator('.auth-wrapper > button.authorize');
    if ((await authorize.count()) > 0) {
      await authorize.click();
      await page.locator('.dialog-ux .modal-ux').waitFor();
      await page.locator('.dialog-ux .close-modal').click();
    }
    t.strictSame(complaints, [], 'nor afterwards, breaches of the content security policy among them');
    const hosts = await page.evaluate(() =>
      performance.getEntriesByType('resource').map(({ name }) => new URL(name).origin),
    );
    t.strictSame(new Set(hosts), new Set([gateway.url]), 'everything came from the gateway itself');
  },
);

t.test('[R13] the documentation through a proxy that takes a path away', async (t) => {
  const simulator = await simulatorFor(t, { settings: { taskMs: { min: 600_000, max: 600_000 } } });
  const { url, pass } = await pathRelay(t, '/gw');
  const settings = { ...settingsFor(simulator), DATA_DIR: await tempDir(t), PUBLIC_URL: url };
  pass((await gatewayFor(t, settings)).url);
  const browser = await browserFor(t);
  for (const path of ['/docs', '/docs/']) {
    const page = await browser.newPage({ viewport: { width: 1280, height: 1600 } });
    page.setDefaultTimeout(60_000);
    const complaints = complaintsOf(page);
    await page.goto(url + path, { waitUntil: 'networkidle' });
    const create = page.locator('#operations-avatars-createAvatar');
    await create.locator('.opblock-summary-control').click();
    const { status, body } = await execute(create);
    t.equal(status, '202', path);
    t.match((JSON.parse(body) as AvatarView).links.self, /^\/gw\/avatars\/av_/);
    t.strictSame(complaints, [], path);
    await page.close();
  }
  t.equal(simulator.ledger().length, 2);
});
