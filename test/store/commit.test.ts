import t from 'tap';
import { type Changes, type Disk, GroupCommit } from '../../src/store/embedded/commit.js';

/** A disk in memory, whose writes end when and how the test says. */
class SlowDisk implements Disk {
  readonly content = new Map<string, Buffer>();
  readonly writes: { changes: Changes; end: (error?: Error) => void }[] = [];

  read(key: string): Buffer | undefined {
    return this.content.get(key);
  }

  write(changes: Changes): Promise<void> {
    return new Promise((resolve, reject) => {
      const end = (error?: Error): void => {
        if (error !== undefined) {
          reject(error);
          return;
        }
        for (const [key, value] of changes) {
          if (value === null) this.content.delete(key);
          else this.content.set(key, value);
        }
        resolve();
      };
      this.writes.push({ changes, end });
    });
  }
}

const turn = () => new Promise((resolve) => setImmediate(resolve));
const put = (commit: GroupCommit, key: string, value = key) =>
  commit.transact((tx) => tx.put(key, Buffer.from(value)));
const get = (commit: GroupCommit, key: string) => commit.transact((tx) => tx.get(key)?.toString());

/** How far a promise is: its value, its error's message, or 'waiting'. */
function watch(promise: Promise<unknown>): { is: unknown } {
  const watched: { is: unknown } = { is: 'waiting' };
  promise.then(
    (value) => Object.assign(watched, { is: value }),
    (error: Error) => Object.assign(watched, { is: error.message }),
  );
  return watched;
}

t.test('embedded: what comes while a batch is written shares the next one', async (t) => {
  const disk = new SlowDisk();
  const commit = new GroupCommit(disk);
  const done = [put(commit, 'a'), put(commit, 'b')];
  await turn();
  done.push(put(commit, 'c'), put(commit, 'd'), put(commit, 'e'));
  await turn();
  t.same(
    disk.writes.map(({ changes }) => [...changes.keys()]),
    [['a', 'b']],
  );
  disk.writes[0]?.end();
  await turn();
  t.same([...(disk.writes[1]?.changes.keys() ?? [])], ['c', 'd', 'e']);
  disk.writes[1]?.end();
  await Promise.all(done);
  await commit.drain();
  t.equal(disk.writes.length, 2);
});

t.test('embedded: a transaction resolves when all it wrote and all it saw is on disk', async (t) => {
  const disk = new SlowDisk();
  const commit = new GroupCommit(disk);
  const first = watch(put(commit, 'a', '1'));
  await turn();
  const second = watch(put(commit, 'b', '2'));
  const [sawWriting, sawCollecting, sawNeither] = [get(commit, 'a'), get(commit, 'b'), get(commit, 'c')].map(
    watch,
  );
  await turn();
  t.match([first, second, sawWriting, sawCollecting], new Array(4).fill({ is: 'waiting' }));
  t.match(sawNeither, { is: undefined });
  disk.writes[0]?.end();
  await turn();
  t.match(
    [first, second, sawWriting, sawCollecting],
    [{ is: undefined }, { is: 'waiting' }, { is: '1' }, { is: 'waiting' }],
  );
  disk.writes[1]?.end();
  await turn();
  t.match([second, sawCollecting], [{ is: undefined }, { is: '2' }]);
});

t.test('embedded: a batch that fails takes all that rests on it, and nothing of it is seen', async (t) => {
  const disk = new SlowDisk();
  disk.content.set('a', Buffer.from('old'));
  const commit = new GroupCommit(disk);
  const failing = [put(commit, 'a', 'new')];
  await turn();
  failing.push(
    put(commit, 'b'),
    get(commit, 'a').then(() => {}),
  );
  await turn();
  const watched = failing.map(watch);
  disk.writes[0]?.end(new Error('disk full'));
  await turn();
  t.same(watched, new Array(3).fill({ is: 'disk full' }));
  t.same([await get(commit, 'a'), await get(commit, 'b')], ['old', undefined]);
  const later = put(commit, 'b', 'again');
  await turn();
  disk.writes[1]?.end();
  await later;
  t.equal(await get(commit, 'b'), 'again');
});

t.test('embedded: a transaction that throws leaves nothing behind', async (t) => {
  const disk = new SlowDisk();
  const commit = new GroupCommit(disk);
  const failed = commit.transact((tx) => {
    tx.put('a', Buffer.from('1'));
    tx.del('b');
    t.equal(tx.get('a')?.toString(), '1', 'it sees its own writes');
    throw new Error('no');
  });
  await t.rejects(failed, { message: 'no' });
  t.equal(await get(commit, 'a'), undefined);
  t.equal(disk.writes.length, 0);
});

t.test('embedded: a delete on its way to the disk is seen', async (t) => {
  const disk = new SlowDisk();
  disk.content.set('a', Buffer.from('1'));
  const commit = new GroupCommit(disk);
  const gone = commit.transact((tx) => tx.del('a'));
  const seen = get(commit, 'a');
  await turn();
  disk.writes[0]?.end();
  await gone;
  t.equal(await seen, undefined);
});
