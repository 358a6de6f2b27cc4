import t from 'tap';
import { isSame, spanOf } from '../../src/videos/range.js';

t.test('what is asked for of ten bytes', async (t) => {
  const table: [string | undefined, ReturnType<typeof spanOf>][] = [
    [undefined, 'all'],
    ['bytes=0-0', { first: 0, last: 0 }],
    ['bytes=2-5', { first: 2, last: 5 }],
    ['bytes=2-', { first: 2, last: 9 }],
    ['bytes=2-9', { first: 2, last: 9 }],
    ['bytes=2-10', { first: 2, last: 9 }],
    ['bytes=2-99999999999999999999', { first: 2, last: 9 }],
    ['bytes=9-9', { first: 9, last: 9 }],
    ['Bytes= 2-5 ', { first: 2, last: 5 }],
    ['bytes=-1', { first: 9, last: 9 }],
    ['bytes=-10', { first: 0, last: 9 }],
    ['bytes=-99999999999999999999', { first: 0, last: 9 }],
    ['bytes=10-', 'none'],
    ['bytes=10-20', 'none'],
    ['bytes=99999999999999999999-', 'none'],
    ['bytes=-0', 'none'],
    ['bytes=5-2', 'all'],
    ['bytes=12-11', 'all'],
    ['bytes=0-1,3-4', 'all'],
    ['bytes=-', 'all'],
    ['bytes=', 'all'],
    ['bytes', 'all'],
    ['bytes=a-b', 'all'],
    ['bytes=1-b', 'all'],
    ['bytes=1.5-2', 'all'],
    ['bytes=--1', 'all'],
    ['seconds=0-1', 'all'],
    ['', 'all'],
  ];
  for (const [range, expected] of table) t.same(spanOf(range, 10), expected, range ?? 'nothing');
});

t.test('whose part it is', async (t) => {
  const here = { etag: '"a-1"', lastModified: 'Sat, 28 Nov 2026 10:00:00 GMT' };
  for (const same of [undefined, here.etag, here.lastModified]) t.ok(isSame(same, here), same ?? 'not said');
  for (const other of ['', '"a-2"', 'W/"a-1"', 'a-1', 'Sat, 28 Nov 2026 10:00:01 GMT', '"a-1", "a-2"']) {
    t.notOk(isSame(other, here), other);
  }
});
