/** Nothing that somebody else wrote reaches a terminal as anything but text. */

import t from 'tap';
import { cut, duration, jsonLine, shown, size } from '../../src/cli/text.js';

const HOSTILE: readonly [what: string, text: string, shown: string][] = [
  ['an escape sequence', 'a\x1b[2Jb', 'a\\u001b[2Jb'],
  ['one of C1', 'a\x9b2Jb', 'a\\u009b2Jb'],
  ['a new line', 'a\r\nb', 'a\\u000d\\u000ab'],
  ['a backspace, a bell, DEL, NUL', '\b\x07\x7f\0', '\\u0008\\u0007\\u007f\\u0000'],
  ['a change of direction', 'a\u202eb\u2066c\u200fd', 'a\\u202eb\\u2066c\\u200fd'],
  ['separators', 'a\u2028b\u2029c', 'a\\u2028b\\u2029c'],
  ['half a character', 'a\ud83db', 'a\\ud83db'],
];

t.test('what a terminal would act on is escaped', async (t) => {
  for (const [what, text, expected] of HOSTILE) {
    t.equal(shown(text), expected, what);
    const line = jsonLine({ text });
    t.notMatch(line.trimEnd(), /[\p{Cc}\p{Cs}\u2028-\u202e\u2066-\u2069]/u, `${what}, in JSON`);
    t.strictSame(JSON.parse(line), { text }, `${what}, in JSON, means the same`);
  }
});

t.test('what is text stays as it is', async (t) => {
  for (const text of ['Sie lächelt.', '彼女は微笑む', '👩‍👩‍👧 🏳️‍🌈', 'ابتسم', 'a\\b "c"'])
    t.equal(shown(text), text);
});

t.test('figures', async (t) => {
  t.strictSame([0, 7_400, 750_000, 3_600_000].map(duration), ['0:00', '0:07', '12:30', '1:00:00']);
  t.strictSame([812, 48_211, 3_141_592].map(size), ['812 B', '48 kB', '3.1 MB']);
  t.strictSame(
    ['short', '👩👩👩👩'].map((text) => cut(text, 3)),
    ['sh…', '👩👩…'],
  );
});
