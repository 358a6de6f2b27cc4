/** The arithmetic of `npm run bench`, and what it makes of it: a ratio belongs to one turn, a script to one command. */

import t from 'tap';
import { picture } from '../../bench/speed/picture.js';
import { aboveMs, type Measured, median, middle, quantile, ratio } from '../../bench/speed/ratios.js';
import { page } from '../../bench/speed/report.js';
import { countCommands } from '../../bench/speed/writes.js';

const one = (subject: string, turn: number, perSecond: number, p50Ms = 1): Measured => ({
  subject,
  connections: 10,
  turn,
  perSecond,
  p50Ms,
  p99Ms: 2 * p50Ms,
  cpuMs: 0.5,
  storeCpuMs: 0,
  busy: 0.99,
  rssBytes: 100e6,
});

t.test('the median is the middle one, or the mean of the two there', (t) => {
  t.equal(median([3, 1, 2]), 2);
  t.equal(median([4, 1, 2, 3]), 2.5);
  t.ok(Number.isNaN(median([])));
  t.end();
});

t.test('a quantile is a value that was seen', (t) => {
  const values = Float64Array.from({ length: 100 }, (_, n) => n);
  t.equal(quantile(values, 0.5), 50);
  t.equal(quantile(values, 0.99), 99);
  t.equal(quantile([7], 0.99), 7);
  t.ok(Number.isNaN(quantile([], 0.5)));
  t.end();
});

t.test('ratios are taken within a turn', (t) => {
  // The machine was ten times as slow in the second turn: the medians of the rates would say 0.45.
  const all = [
    one('ours', 1, 500, 3),
    one('theirs', 1, 1000, 1),
    one('ours', 2, 40, 30),
    one('theirs', 2, 100, 10),
    one('ours', 3, 450, 4),
    one('theirs', 3, 1000, 1),
  ];
  t.match(ratio(all, 'ours', 'theirs', 10), { median: 0.45, least: 0.4, most: 0.5 });
  t.equal(aboveMs(all, 'ours', 'theirs', 10), 3);
  t.match(middle(all, 'ours', 10), { perSecond: 450, p50Ms: 4 });
  t.equal(ratio(all, 'ours', 'theirs', 50), null, 'not at other connections');
  t.equal(ratio(all.slice(0, 3), 'ours', 'theirs', 10)?.median, 0.5, 'a turn of one alone says nothing');
  t.equal(aboveMs(all, 'ours', 'nobody', 10), null);
  t.equal(middle(all, 'nobody', 10), null);
  t.end();
});

t.test('a script is one command, and one write however much it changes', (t) => {
  const lines = [
    { command: 'EVALSHA', source: '127.0.0.1:1' },
    { command: 'hget', source: 'lua' },
    { command: 'hset', source: 'lua' },
    { command: 'ZADD', source: 'lua' },
    { command: 'evalsha', source: '127.0.0.1:1' },
    { command: 'hget', source: 'lua' },
    { command: 'set', source: '127.0.0.1:1' },
    { command: 'get', source: '127.0.0.1:1' },
  ];
  t.same(countCommands(lines, new Set(['hset', 'zadd', 'set'])), { commands: 4, durable: 2 });
  t.end();
});

const kase = {
  id: 'submit' as const,
  name: 'Submit: `POST` & more',
  beside: ['theirs'],
  above: 'theirs',
  subjects: [
    { id: 'theirs', name: 'a proxy' },
    { id: 'ours', name: 'gateway, embedded store' },
    { id: 'absent', name: 'nowhere' },
  ],
};
const measured = [one('ours', 1, 500, 3), one('theirs', 1, 1000, 1)];

t.test('the page has ratios first, and what could not be measured is left out', (t) => {
  const costs = {
    store: 'embedded' as const,
    readyMs: 480,
    idleBytes: 110e6,
    writes: { commands: null, durable: 2 },
    avatarBytes: null,
  };
  const text = page([{ kase, measured }], [costs], 'Made by hand.');
  const lines = text.split('\n');
  t.ok(lines.includes('### Submit: `POST` & more'));
  t.match(text, '| connections | what | x a proxy | a second |');
  t.ok(
    lines.includes(
      '| 10 | gateway, embedded store | **0.50** | 500 | 3.00 ms | 6.00 ms | 2.00 ms | 500 us | - | 99 % | 100 MB |',
    ),
    text,
  );
  t.notMatch(text, 'nowhere');
  t.match(text, '| start to ready | 0.48 s |');
  t.match(text, '| durable writes for it | 2.0 |');
  t.equal(lines.at(-1), 'Made by hand.');
  t.end();
});

t.test('the picture is XML with a bar for each that was measured', (t) => {
  const svg = picture([{ kase, measured }], 'a < b');
  t.match(svg, '<title>a &lt; b</title>');
  t.match(svg, 'Submit: POST &amp; more');
  t.match(svg, '0.50 x, 500/s');
  t.equal(svg.match(/<rect x=/g)?.length, 2);
  const width = (colour: string) =>
    Number(new RegExp(`width="([\\d.]+)" height="13" fill="${colour}"`).exec(svg)?.[1]);
  t.equal(width('#1b6e53') * 2, width('#9aa0a6'));
  t.end();
});
