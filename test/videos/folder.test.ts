import { once } from 'node:events';
import { chmod, mkdir, stat, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { openVideoFolder } from '../../src/videos/folder.js';
import { DAY_MS, folderFor, GET, pieces, tempDir, textOf } from './support.js';

/** A video that was there before: counted by the name that the gateway gives it. */
const ZERO = `av_${'0'.repeat(32)}`;

t.test('a video is kept and given back', async (t) => {
  const dir = join(await tempDir(t), 'a', 'b');
  const { folder, files } = await folderFor(t, { dir });
  t.same(await folder.keep('av_1', pieces('abc', 'def', 'ghij'), 10), { keptBytes: 10 });
  t.same(await files(), ['av_1.mp4']);
  t.equal((await stat(dir)).mode & 0o777, 0o700, 'for this user only');
  t.equal((await stat(join(dir, 'av_1.mp4'))).mode & 0o777, 0o600);
  t.equal(folder.usedBytes, 10);

  const whole = await folder.open('av_1', 10, GET);
  if (whole?.kind !== 'ok') throw new Error('not there');
  t.equal(whole.status, 200);
  const { etag = '', 'last-modified': modified = '', ...headers } = whole.headers;
  t.same(headers, { 'content-type': 'video/mp4', 'content-length': '10', 'accept-ranges': 'bytes' });
  t.match(etag, /^"a-[0-9a-f]+"$/, 'a strong one');
  t.ok(Math.abs(Date.parse(modified) - Date.now()) < 60_000);
  t.equal(await textOf(whole.body), 'abcdefghij');

  const ranged = async (range: string, ifRange?: string) => {
    const answer = await folder.open('av_1', 10, { ...GET, range, ifRange });
    if (answer?.kind !== 'ok') return answer;
    const { 'content-range': contentRange, 'content-length': length } = answer.headers;
    return [answer.status, contentRange, length, await textOf(answer.body)];
  };
  t.same(await ranged('bytes=2-4'), [206, 'bytes 2-4/10', '3', 'cde']);
  t.same(await ranged('bytes=-3'), [206, 'bytes 7-9/10', '3', 'hij']);
  t.same(await ranged('bytes=0-1,3-4'), [200, undefined, '10', 'abcdefghij']);
  t.same(await ranged('bytes=10-'), { kind: 'range-not-satisfiable', contentRange: 'bytes */10' });
  for (const same of [etag, modified]) {
    t.same(await ranged('bytes=0-0', same), [206, 'bytes 0-0/10', '1', 'a'], same);
  }
  t.same(await ranged('bytes=0-0', '"other"'), [200, undefined, '10', 'abcdefghij']);
  t.same(await ranged('bytes=10-', '"other"'), [200, undefined, '10', 'abcdefghij']);

  const head = await folder.open('av_1', 10, { ...GET, method: 'HEAD', range: 'bytes=2-4' });
  if (head?.kind !== 'ok') throw new Error('not there');
  t.same([head.status, head.headers], [200, whole.headers], 'a range is for GET alone');
  t.equal(await textOf(head.body), '');
});

t.test('a video that is not here, or another one than it should be', async (t) => {
  const { folder, dir } = await folderFor(t);
  t.equal(await folder.open('av_1', 3, GET), null);
  await folder.keep('av_1', pieces('abc'), null);
  t.equal(await folder.open('av_1', 4, GET), null);
  await unlink(join(dir, 'av_1.mp4'));
  t.equal(await folder.open('av_1', 3, GET), null);
  await mkdir(join(dir, 'av_2.mp4'));
  t.equal(await folder.open('av_2', 3, GET), null);
});

t.test('removed, also while it is read; and what is not there', async (t) => {
  const { folder, files } = await folderFor(t);
  await folder.keep('av_1', pieces('abc'), null);
  const answer = await folder.open('av_1', 3, GET);
  await folder.remove('av_1');
  t.same(await files(), []);
  t.equal(folder.usedBytes, 0);
  if (answer?.kind !== 'ok') throw new Error('not there');
  t.equal(await textOf(answer.body), 'abc');
  await folder.remove('av_1');
  t.equal(folder.usedBytes, 0);
});

t.test('a caller who hangs up', async (t) => {
  const { folder } = await folderFor(t);
  await folder.keep('av_1', pieces(Buffer.alloc(500_000)), null);
  const caller = new AbortController();
  const answer = await folder.open('av_1', 500_000, { ...GET, signal: caller.signal });
  if (answer?.kind !== 'ok') throw new Error('not there');
  const ended = once(answer.body, 'end');
  caller.abort();
  await t.rejects(ended, { name: 'AbortError' });
  t.ok(answer.body.destroyed);

  const late = await folder.open('av_1', 500_000, { ...GET, signal: AbortSignal.abort() });
  if (late?.kind !== 'ok') throw new Error('not there');
  if (!late.body.closed) await new Promise((resolve) => late.body.once('close', resolve));
  t.ok(late.body.destroyed, 'who hung up before it was read');
});

t.test('a body that breaks off leaves nothing behind', async (t) => {
  const { folder, files } = await folderFor(t);
  await t.rejects(folder.keep('av_1', pieces('abc', new Error('broke off')), 9), { message: 'broke off' });
  t.same(await files(), []);
});

t.test('one that is too large', async (t) => {
  const { folder, files } = await folderFor(t, { maxBytes: 5 });
  const refused = { refused: 'too-large', reason: 'it is larger than 5 bytes' };
  let read = 0;
  async function* counted() {
    for await (const piece of pieces('abc', 'def', 'ghi')) {
      read += 1;
      yield piece;
    }
  }
  t.same(await folder.keep('av_1', counted(), 6), refused);
  t.equal(read, 0, 'not begun where that is known before');
  t.same(await folder.keep('av_1', counted(), null), refused);
  t.equal(read, 2, 'no more is read than it takes to know');
  t.same(await folder.keep('av_1', pieces('abcde'), 5), { keptBytes: 5 });
  t.same(await files(), ['av_1.mp4']);
});

t.test('no room beside the others', async (t) => {
  const dir = await tempDir(t);
  await writeFile(join(dir, `${ZERO}.mp4`), 'abcdef');
  await writeFile(join(dir, 'notes.txt'), 'none of ours'.repeat(10));
  const { folder, files } = await folderFor(t, { dir, maxTotalBytes: 10 });
  const refused = { refused: 'no-room', reason: 'all videos together may have 10 bytes' };
  t.same(await folder.keep('av_1', pieces('abcde'), null), refused, 'what was there before counts');
  t.same(await folder.keep('av_1', pieces('abcd'), 4), { keptBytes: 4 });
  t.same(await folder.keep('av_2', pieces('a'), null), refused);
  await folder.remove(ZERO);
  t.same(await folder.keep('av_2', pieces('abcdef'), 6), { keptBytes: 6 });
  await folder.remove('av_2');

  let go = () => undefined as unknown;
  const held = new Promise((resolve) => {
    go = () => resolve(null);
  });
  async function* slow() {
    yield Buffer.from('abc');
    await held;
    yield Buffer.from('def');
  }
  const first = folder.keep('av_3', slow(), 6);
  t.same(await folder.keep('av_4', pieces('a'), 1), refused, 'what is on its way counts');
  go();
  t.same(await first, { keptBytes: 6 });
  t.same(await files(), ['av_1.mp4', 'av_3.mp4', 'notes.txt']);
});

t.test('the same video again, and by two at once', async (t) => {
  const { folder, files, dir } = await folderFor(t);
  const { folder: other } = await folderFor(t, { dir });
  t.same(await folder.keep('av_1', pieces('abc'), null), { keptBytes: 3 });
  t.same(await folder.keep('av_1', pieces('abcde'), null), { keptBytes: 5 });
  t.equal(folder.usedBytes, 5);
  const long = Array.from({ length: 50 }, (_, i) => Buffer.alloc(1_000, i));
  const all = await Promise.all(
    [folder, other, folder].map((each) => each.keep('av_2', pieces(...long), 50_000)),
  );
  for (const each of all) t.same(each, { keptBytes: 50_000 });
  t.same(await files(), ['av_1.mp4', 'av_2.mp4']);
  const answer = await other.open('av_2', 50_000, GET);
  if (answer?.kind !== 'ok') throw new Error('not there');
  t.ok(Buffer.concat(await answer.body.toArray()).equals(Buffer.concat(long)), 'not of both a part');
});

t.test('a folder that cannot be', async (t) => {
  const dir = await tempDir(t);
  await writeFile(join(dir, 'file'), '');
  const open = (dir: string) =>
    openVideoFolder({ dir, maxBytes: 1, maxTotalBytes: 1, keptForMs: DAY_MS, onTrouble: () => undefined });
  await t.rejects(open(join(dir, 'file')), { code: 'EEXIST' });
  await t.rejects(open('/proc/videos'), { code: 'ENOENT' });
  await mkdir(join(dir, 'shut'));
  await chmod(join(dir, 'shut'), 0o500);
  // Whom nothing is denied finds no fault with it.
  if (process.getuid?.() !== 0) await t.rejects(open(join(dir, 'shut')), { code: 'EACCES' });
});
