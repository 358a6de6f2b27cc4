import t from 'tap';
import { connectionsWithin, maxOpenFiles } from '../src/disk/open-files.js';

t.test('connections are as many as files allow, and leave some for the rest', async (t) => {
  const cases: readonly [number, number | null, number][] = [
    [25_000, 1_048_576, 25_000],
    [25_000, 26_000, 25_000],
    [25_000, 20_000, 19_000],
    [25_000, 1_024, 512],
    [100, 1_024, 100],
    [25_000, null, 25_000],
  ];
  for (const [wanted, files, held] of cases) {
    t.equal(connectionsWithin(wanted, files), held, `${wanted} of ${files}`);
  }
});

t.test('the limit of this process', { skip: process.platform !== 'linux' && 'Linux only' }, async (t) => {
  t.ok((maxOpenFiles() ?? 0) > 0);
});
