/** What `npm run profile` reads out of a CPU profile. */

import t from 'tap';
import { type CpuProfile, costsIn } from '../../bench/profile/read.js';

const ROOT = '/home/me/gateway/';
const node = (id: number, functionName: string, url = '', lineNumber = -1) => ({
  id,
  callFrame: { functionName, url, lineNumber },
});

const PROFILE: CpuProfile = {
  nodes: [
    node(1, '(root)'),
    node(2, '(idle)'),
    node(3, 'accept', `file://${ROOT}dist/gateway/accept.js`, 9),
    node(4, '', `file://${ROOT}node_modules/@fastify/send/index.js`, 0),
    node(5, 'inner', `file://${ROOT}node_modules/a/node_modules/b/c.js`, 4),
    node(6, '(garbage collector)'),
    node(7, 'writev'),
    node(8, 'emit', 'node:events', 487),
    // The same function, called from elsewhere.
    node(9, 'accept', `file://${ROOT}dist/gateway/accept.js`, 9),
  ],
  startTime: 1_000,
  endTime: 2_000,
  // At 1000, 1100, ... 1900.
  samples: [3, 2, 3, 4, 5, 6, 7, 8, 9, 2],
  timeDeltas: [0, 100, 100, 100, 100, 100, 100, 100, 100, 100],
};

t.test('functions by their own time, with file and line, wherever they are called from', (t) => {
  const { busy, functions, packages } = costsIn(PROFILE, { from: 1_000, to: 2_000 }, ROOT);
  t.equal(busy, 0.8, 'without what it waited');
  t.same(functions[0], { what: 'accept dist/gateway/accept.js:10', share: 3 / 8 });
  t.same(
    functions.slice(1).map(({ what }) => what),
    [
      '(anonymous) @fastify/send/index.js:1',
      'inner a/node_modules/b/c.js:5',
      '(garbage collector)',
      'writev',
      'emit node:events:488',
    ],
  );
  t.same(
    packages.map(({ what }) => what),
    ['dist/gateway', '@fastify/send', 'b', '(garbage collector)', 'V8, built in', 'Node'],
  );
  t.end();
});

t.test('only what is within the span counts, a sample cut by it in part', (t) => {
  const { busy, functions } = costsIn(PROFILE, { from: 1_250, to: 1_400 }, ROOT);
  t.equal(busy, 1);
  t.match(functions, [
    { what: '(anonymous) @fastify/send/index.js:1', share: 100 / 150 },
    { what: 'accept dist/gateway/accept.js:10', share: 50 / 150 },
  ]);
  t.end();
});

t.test('a thread that only waits has no costs', (t) => {
  const { busy, functions } = costsIn({ ...PROFILE, samples: [2, 2] }, { from: 1_000, to: 2_000 }, ROOT);
  t.same([busy, functions], [0, []]);
  t.end();
});
