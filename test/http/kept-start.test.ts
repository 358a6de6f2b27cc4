import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { startApp } from '../support/app.js';

t.test('a folder for videos that cannot be written stops the start', async (t) => {
  const dir = await mkdtemp(join(tmpdir(), 'avatar-gateway-start-'));
  t.teardown(() => rm(dir, { recursive: true, force: true }));
  const file = join(dir, 'file');
  await writeFile(file, '');
  const keep = { dir: join(file, 'videos'), maxBytes: 1, maxTotalBytes: 1 };
  await t.rejects(startApp(t, { videos: { keep } }), {
    name: 'StartError',
    message: `KEEP_VIDEOS_DIR=${keep.dir} cannot be written (ENOTDIR): videos are kept there`,
  });
});
