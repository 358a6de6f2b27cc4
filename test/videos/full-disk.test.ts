/** A disk that takes no more: to a program, files that may not grow. */

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import t from 'tap';
import { folderFor, pieces } from './support.js';

// Without a listener the signal ends the process.
process.on('SIGXFSZ', () => undefined);

async function limitFiles(bytes: string): Promise<void> {
  await promisify(execFile)('prlimit', ['--pid', String(process.pid), `--fsize=${bytes}:unlimited`]);
}

t.test('a disk that is full', async (t) => {
  const { folder, files } = await folderFor(t);
  await folder.keep('av_0', pieces('abc'), null);
  await limitFiles('5000');
  t.teardown(() => limitFiles('unlimited'));
  const body = Array.from({ length: 9 }, () => Buffer.alloc(1_000));
  const refused = { refused: 'disk', reason: 'it cannot be written to disk (EFBIG)' };
  t.same(await folder.keep('av_1', pieces(...body), 9_000), refused);
  t.same(await files(), ['av_0.mp4'], 'nothing is left behind');
  t.same(await folder.keep('av_2', pieces('abc'), null), { keptBytes: 3 }, 'what there is room for is kept');
  await limitFiles('unlimited');
  t.same(await folder.keep('av_1', pieces(...body), 9_000), { keptBytes: 9_000 });
  t.equal(folder.usedBytes, 9_006, 'what came to nothing does not count');
});
