/** Forms as they are really sent: by a browser, by curl as the README has it, and by Swagger UI. */

import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import t from 'tap';
import type { AvatarView } from '../../src/http/schemas/avatar.js';
import { browserFor } from './browser.js';
import { gatewayFor, settingsFor, simulatorFor, tempDir } from './support.js';

t.setTimeout(600_000);

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const PORTRAIT = `${ROOT}test/demo/portrait.jpg`;
const SPEECH = `${ROOT}test/demo/speech.mp3`;

const SEEN = {
  image: { source: 'inline', format: 'jpeg', width: 720, height: 960 },
  audio: { source: 'inline', format: 'mp3', duration_seconds: 6.177 },
};

t.test('forms', async (t) => {
  const simulator = await simulatorFor(t, { settings: { taskMs: { min: 600_000, max: 600_000 } } });
  const settings = { ...settingsFor(simulator), DATA_DIR: await tempDir(t) };
  const { url } = await gatewayFor(t, settings);
  const browser = await browserFor(t);

  await t.test('a form of a page, with a field left empty', async (t) => {
    const page = await browser.newPage();
    page.setDefaultTimeout(60_000);
    // It takes nothing from a page that is not its own, so this one stands where nothing of it does.
    const body = `<form method="post" enctype="multipart/form-data" action="/avatars">
      <input name="prompt"><input name="audio_id"><select name="mode"><option>std<option>pro</select>
      <input type="file" name="sound_file"><input type="file" name="image"><button>Make</button></form>`;
    await page.route(`${url}/form`, (route) =>
      route.fulfill({ contentType: 'text/html; charset=utf-8', body }),
    );
    await page.goto(`${url}/form`);
    await page.setInputFiles('[name=image]', PORTRAIT);
    await page.setInputFiles('[name=sound_file]', SPEECH);
    await page.fill('[name=prompt]', 'She nods, ä.');
    await page.selectOption('[name=mode]', 'pro');
    const [answer] = await Promise.all([page.waitForResponse(`${url}/avatars`), page.click('button')]);
    t.equal(answer?.status(), 202);
    t.match(JSON.parse(await page.innerText('body')), { ...SEEN, mode: 'pro', prompt: 'She nods, ä.' });
  });

  await t.test('[E1] [F65] a form of a page elsewhere makes nothing, without a key as well', async (t) => {
    const anyone = await gatewayFor(t, { ...settings, ALLOW_ANONYMOUS: 'true', DATA_DIR: await tempDir(t) });
    for (const target of [url, anyone.url]) {
      const page = await browser.newPage();
      await page.setContent(`<form method="post" enctype="multipart/form-data" action="${target}/avatars">
        <input name="image" value="https://example.com/a.jpg"><input name="audio_id" value="a"><button>Win</button></form>`);
      const [answer] = await Promise.all([page.waitForResponse(`${target}/avatars`), page.click('button')]);
      t.equal(answer?.status(), 403);
    }
  });

  await t.test('FormData and fetch in a page of the gateway', async (t) => {
    const page = await browser.newPage();
    await page.goto(`${url}/docs`, { waitUntil: 'networkidle' });
    const media = [await readFile(PORTRAIT, 'base64'), await readFile(SPEECH, 'base64')] as const;
    const made = await page.evaluate(async (media) => {
      // No function in it has a name: esbuild would have it kept by a helper that the page lacks.
      const [image, sound] = media.map(
        (base64) => new Blob([Uint8Array.from(atob(base64), (char) => char.charCodeAt(0))]),
      ) as [Blob, Blob];
      const form = new FormData();
      form.append('sound_file', sound, 'b.mp3');
      form.append('image', image, 'a.jpg');
      const answer = await fetch('/avatars', { method: 'POST', body: form });
      return { status: answer.status, body: (await answer.json()) as unknown };
    }, media);
    t.match(made, { status: 202, body: SEEN });
  });

  await t.test('curl, as the README has it', async (t) => {
    const readme = await readFile(`${ROOT}README.md`, 'utf8');
    const command = /^curl -s http:\/\/127\.0\.0\.1:8080\/avatars -F .+$/m.exec(readme)?.[0] ?? '';
    t.match(command, /image=@/);
    const { stdout } = await promisify(execFile)(
      'sh',
      ['-c', command.replace('http://127.0.0.1:8080', url)],
      {
        cwd: ROOT,
      },
    );
    t.match(JSON.parse(stdout) as AvatarView, SEEN);
  });

  t.equal(simulator.ledger().length, 3);
});
