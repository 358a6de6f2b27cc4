import fc from 'fast-check';
import t from 'tap';
import { readJsonBody } from '../../src/http/json-body.js';
import { ProblemError } from '../../src/problems.js';

const LIFTABLE = new Set(['image', 'sound_file']);
/** Longer than what stays in place. */
const LONG = 5_000;

const read = (body: string | Buffer) => readJsonBody(Buffer.from(body), LIFTABLE);

/** What reading comes to: the value with its lifted strings in place, or the problem. */
function outcome(body: string | Buffer): { value: unknown } | { problem: string } {
  try {
    const { value, lifted } = read(body);
    const whole = Object.fromEntries([...lifted].map(([name, bytes]) => [name, bytes.toString()]));
    return { value: lifted.size === 0 ? value : { ...(value as object), ...whole } };
  } catch (error) {
    if (error instanceof ProblemError) return { problem: error.slug };
    throw error;
  }
}

function parsed(text: string): { value: unknown } | null {
  try {
    return { value: JSON.parse(text) };
  } catch {
    return null;
  }
}

/** Any value that is not refused for its names or its depth. */
/** Refused on purpose; other tests see to these. */
const holdsNoRefusedName = (each: unknown) =>
  !/"(__proto__|constructor|prototype)":/.test(JSON.stringify(each));

const value = fc.jsonValue({ maxDepth: 8, noUnicodeString: false }).filter(holdsNoRefusedName);

const media = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 20 }),
  fc
    .tuple(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 50 }), fc.integer({ min: 1, max: 3 }))
    .map(([unit, times]) => unit.repeat(Math.ceil((LONG * times) / unit.length))),
);
const request = fc.record(
  {
    image: media,
    sound_file: media,
    prompt: fc.string(),
    metadata: fc.dictionary(fc.string(), fc.string()).filter(holdsNoRefusedName),
  },
  { requiredKeys: [] },
);

t.test('agrees with JSON.parse for every value', async (t) => {
  fc.assert(
    fc.property(value, fc.nat(3), (each, indent) => {
      const text = JSON.stringify(each, null, indent);
      const { value } = read(text);
      t.strictSame(value, JSON.parse(text));
    }),
    { numRuns: 300 },
  );
  t.end();
});

t.test('lifts long strings and changes nothing by it', async (t) => {
  let count = 0;
  fc.assert(
    fc.property(request, fc.boolean(), (body, escaped) => {
      const plain = JSON.stringify(body);
      const text = escaped ? plain.replaceAll('/', '\\/').replaceAll('a', '\\u0061') : plain;
      const { lifted } = read(text);
      count += lifted.size;
      for (const [name, bytes] of lifted) t.equal(bytes.toString(), Reflect.get(body, name));
      t.strictSame(outcome(text), { value: JSON.parse(text) });
    }),
    { numRuns: 100 },
  );
  t.ok(count > 20, `${count} were lifted`);
});

t.test('throws nothing but problems, and takes nothing that JSON.parse does not', async (t) => {
  const seeds = fc.oneof(
    value.map((each) => JSON.stringify(each)),
    request.map((each) => JSON.stringify(each)),
    fc.constant('{"image":"\\u0041","metadata":{"a":"\\"\\\\","b":[1,-2e3,null,true]}}'),
  );
  const pieces = fc.constantFrom(
    '"',
    '\\',
    '{',
    '}',
    '[',
    ']',
    ',',
    ':',
    '\0',
    '\n',
    '\\u',
    '1',
    'e',
    '\ufeff',
    'é',
    '',
  );
  const places = fc.array(fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), pieces, fc.nat(2)), {
    minLength: 1,
    maxLength: 4,
  });
  let refused = 0;
  fc.assert(
    fc.property(seeds, places, (text, changes) => {
      let mutated = text;
      for (const [where, piece, dropped] of changes) {
        const at = Math.floor(where * mutated.length);
        mutated = mutated.slice(0, at) + piece + mutated.slice(at + dropped);
      }
      mutated = mutated.toWellFormed();
      const result = outcome(mutated);
      const expected = parsed(mutated);
      if ('problem' in result) {
        refused += 1;
        t.equal(result.problem, 'invalid-json');
      } else if (!mutated.includes('\n')) {
        // A line feed far within a lifted string is left to whoever reads base64.
        t.strictSame(result, expected);
      }
    }),
    { numRuns: 1_000 },
  );
  t.ok(refused > 100, `${refused} were refused`);
});

t.test('throws nothing but problems for any bytes', async (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      const result = outcome(Buffer.from(bytes));
      t.ok('problem' in result || parsed(Buffer.from(bytes).toString()) !== null);
    }),
    { numRuns: 500 },
  );
});

t.test('where strings are lifted, and where not', async (t) => {
  const long = 'A'.repeat(LONG);
  const names = (body: unknown) => [...read(JSON.stringify(body)).lifted.keys()];
  t.strictSame(names({ image: long, sound_file: long }), ['image', 'sound_file']);
  t.strictSame(names({ prompt: long, image: 'A' }), []);
  t.strictSame(names({ metadata: { image: long } }), []);
  t.strictSame(names([{ image: long }]), []);
  t.strictSame(names({ image: [long] }), []);
  const { value, lifted } = read(JSON.stringify({ image: `https://${long}`, mode: 'std' }));
  t.strictSame(value, { image: 'https://AAAAAAAA', mode: 'std' });
  t.equal(lifted.get('image')?.length, LONG + 8);
});

t.test('a lifted string shares its memory with the body where nothing in it is escaped', async (t) => {
  const bytes = Buffer.from(JSON.stringify({ image: 'A'.repeat(LONG) }));
  const { lifted } = readJsonBody(bytes, LIFTABLE);
  t.equal(lifted.get('image')?.buffer, bytes.buffer);
});

t.test('a megabyte of quotes and backslashes is read in no time', async (t) => {
  for (const piece of ['\\"', '\\\\', '"', '\\']) {
    const started = performance.now();
    outcome(`{"image":"${piece.repeat(5_000_000)}"}`);
    t.ok(performance.now() - started < 2_000, JSON.stringify(piece));
  }
});
