/** `Prefer` as RFC 7240 has it. */

import t from 'tap';
import { preferenceApplied, preferencesIn } from '../../src/http/prefer.js';

const NONE = { wait: null, respondAsync: false };

const CASES: Readonly<Record<string, ReturnType<typeof preferencesIn>>> = {
  '': NONE,
  'wait=10': { wait: 10, respondAsync: false },
  'WAIT = 10': { wait: 10, respondAsync: false },
  'wait="10"': { wait: 10, respondAsync: false },
  'wait="1\\0"': { wait: 10, respondAsync: false },
  'wait=0': { wait: 0, respondAsync: false },
  'wait=60': { wait: 60, respondAsync: false },
  'wait=61': { wait: 60, respondAsync: false },
  'wait=99999999999999999999999': { wait: 60, respondAsync: false },
  'respond-async': { wait: null, respondAsync: true },
  'respond-async=""': { wait: null, respondAsync: true },
  'respond-async, wait=10': { wait: 10, respondAsync: true },
  'respond-async,wait=10': { wait: 10, respondAsync: true },
  'foo; bar=" a, wait=3 ; \\" "; baz , wait=7;x=y': { wait: 7, respondAsync: false },
  'wait=1, wait=2': { wait: 1, respondAsync: false },
  'return=minimal; foo="some parameter", wait=5': { wait: 5, respondAsync: false },
  ', ,wait=5, ,': { wait: 5, respondAsync: false },
  'wait=5;': { wait: 5, respondAsync: false },
  'wait=5;;;a': { wait: 5, respondAsync: false },
  // Not well-formed, or not of the form that the preference has: as good as not sent.
  wait: NONE,
  'wait=': NONE,
  'wait=-1': NONE,
  'wait=+1': NONE,
  'wait=1.5': NONE,
  'wait=1e1': NONE,
  'wait=0x10': NONE,
  'wait=ten': NONE,
  'wait=1 0': NONE,
  'wait 10': NONE,
  'wait="10': NONE,
  '=10': NONE,
  'waits=10': NONE,
  'respond-async=true': NONE,
  'x="wait=10"': NONE,
  'a b, wait=4': { wait: 4, respondAsync: false },
  // A quote without an end takes the rest, which is what keeps many of them from being read again and again.
  'a b "x, wait=3': NONE,
  'wait=2, "\\"\\"\\", wait=3': { wait: 2, respondAsync: false },
  '"quoted, wait=3", wait=4': { wait: 4, respondAsync: false },
};

for (const [header, expected] of Object.entries(CASES)) {
  t.test(`Prefer: ${header}`, async (t) => t.strictSame(preferencesIn(header), expected));
}

t.test('no header prefers nothing', async (t) => t.strictSame(preferencesIn(undefined), NONE));

t.test('what was applied is said as it was', async (t) => {
  t.strictSame(preferenceApplied({ wait: 60, respondAsync: false }), { 'preference-applied': 'wait=60' });
  t.strictSame(preferenceApplied({ wait: 0, respondAsync: true }), {
    'preference-applied': 'respond-async, wait=0',
  });
  t.strictSame(preferenceApplied({ wait: null, respondAsync: true }), {
    'preference-applied': 'respond-async',
  });
  t.strictSame(preferenceApplied(NONE), {});
});

t.test('a long header is read to its end', async (t) => {
  t.strictSame(preferencesIn(`wait=5${';   '.repeat(4_000)}`), { wait: 5, respondAsync: false });
  t.strictSame(preferencesIn(`wait=5${';   '.repeat(4_000)}"`), NONE);
});
