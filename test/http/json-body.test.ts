import fc from 'fast-check';
import t from 'tap';
import type { GivenMedia } from '../../src/domain/media/media.js';
import { mediaIn } from '../../src/domain/media/text.js';
import { type JsonBody, readJson } from '../../src/http/body/json-body.js';
import { ProblemError } from '../../src/problems.js';
import { startApp } from '../support/app.js';
import { postJson, URLS } from '../support/requests.js';

const MEDIA_MEMBERS: ReadonlySet<string> = new Set(['image', 'sound_file']);
/** Longer than what tells a URL from base64. */
const LONG = 10_000;

/** From a copy, which is written to. */
const read = (body: string | Buffer): Promise<JsonBody> => readJson(Buffer.from(body));

/** What is not ASCII is in no media; how much of it there is does not matter. */
const plain = (media: GivenMedia) => {
  if (media.kind === 'invalid') return media.error.detail;
  if (media.kind === 'url') return media;
  return { ...media, bytes: media.bytes.toString('latin1').replace(/[^\0-\x7f]+/g, '?') };
};

/** What reading comes to: the value with what its media are in place, or the problem. */
async function outcome(body: string | Buffer): Promise<{ value: unknown } | { problem: string }> {
  try {
    const { value, media } = await read(body);
    if (media.size === 0) return { value };
    return {
      value: {
        ...(value as object),
        ...Object.fromEntries([...media].map(([name, each]) => [name, plain(each)])),
      },
    };
  } catch (error) {
    if (error instanceof ProblemError) return { problem: error.slug };
    throw error;
  }
}

/** The same as {@link outcome} for what JSON.parse makes of it. */
function expected(text: string): { value: unknown } | null {
  try {
    // A byte order mark may be ignored (RFC 8259 §8.1).
    const value: unknown = JSON.parse(text.replace(/^\ufeff/, ''));
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return { value };
    const apart = Object.entries(value).map(([name, each]) => {
      const isMedia = MEDIA_MEMBERS.has(name) && typeof each === 'string';
      return [name, isMedia ? plain(mediaIn(Buffer.from(each.toWellFormed()))) : each];
    });
    return { value: Object.fromEntries(apart) };
  } catch {
    return null;
  }
}

/** Refused on purpose; other tests see to these. */
const holdsNoRefusedName = (each: unknown) =>
  !/"(__proto__|constructor|prototype)":/.test(JSON.stringify(each));

const value = fc.jsonValue({ maxDepth: 8, noUnicodeString: false }).filter(holdsNoRefusedName);

const media = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 20 }),
  fc
    .tuple(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 50 }), fc.integer({ min: 1, max: 3 }))
    .map(([unit, times]) => unit.repeat(Math.ceil((LONG * times) / unit.length))),
  fc
    .tuple(
      fc.constantFrom('', 'data:image/png;base64,'),
      fc.uint8Array({ minLength: 1, maxLength: 60 }),
      fc.nat(200),
    )
    .map(([label, unit, times]) => {
      const bytes = Buffer.concat(Array.from({ length: times + 1 }, () => Buffer.from(unit)));
      return label + bytes.toString('base64');
    }),
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
  await fc.assert(
    fc.asyncProperty(value, fc.nat(3), async (each, indent) => {
      const text = JSON.stringify(each, null, indent);
      t.strictSame((await read(text)).value, JSON.parse(text));
    }),
    { numRuns: 300 },
  );
});

t.test('sets long media apart and changes nothing by it', async (t) => {
  let count = 0;
  await fc.assert(
    fc.asyncProperty(request, fc.boolean(), async (body, escaped) => {
      const text = JSON.stringify(body);
      const written = escaped ? text.replaceAll('/', '\\/').replaceAll('+', '\\u002B') : text;
      count += (await read(written)).media.size;
      t.strictSame(await outcome(written), expected(written));
    }),
    { numRuns: 300 },
  );
  t.ok(count > 50, `${count} were set apart`);
});

t.test('throws nothing but problems, and takes nothing that JSON.parse does not', async (t) => {
  const seeds = fc.oneof(
    value.map((each) => JSON.stringify(each)),
    request.map((each) => JSON.stringify(each)),
    fc.constant('{"image":"\\u0041","metadata":{"a":"\\"\\\\","b":[1,-2e3,null,true]}}'),
  );
  const pieces = fc.constantFrom(
    ...['"', '\\', '{', '}', '[', ']', ',', ':', '\0', '\n', '\\u', '\\ud800', '1', 'e', '\ufeff', 'é', ''],
  );
  const places = fc.array(fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), pieces, fc.nat(2)), {
    minLength: 1,
    maxLength: 4,
  });
  let refused = 0;
  await fc.assert(
    fc.asyncProperty(seeds, places, async (text, changes) => {
      let mutated = text;
      for (const [where, piece, dropped] of changes) {
        const at = Math.floor(where * mutated.length);
        mutated = mutated.slice(0, at) + piece + mutated.slice(at + dropped);
      }
      mutated = mutated.toWellFormed();
      const result = await outcome(mutated);
      if ('problem' in result) {
        refused += 1;
        t.equal(result.problem, 'invalid-json');
      } else if (!/[\0\n]/.test(mutated)) {
        // A control character far within media is left to whoever reads base64.
        t.strictSame(result, expected(mutated));
      }
    }),
    { numRuns: 1_000 },
  );
  t.ok(refused > 100, `${refused} were refused`);
});

t.test('throws nothing but problems for any bytes', async (t) => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async (bytes) => {
      const result = await outcome(Buffer.from(bytes));
      t.ok('problem' in result || expected(Buffer.from(bytes).toString()) !== null);
    }),
    { numRuns: 500 },
  );
});

t.test('which strings are set apart, and which not', async (t) => {
  const long = 'A'.repeat(LONG + 3);
  const names = async (body: unknown) => [...(await read(JSON.stringify(body))).media.keys()];
  t.strictSame(await names({ image: long, sound_file: long }), ['image', 'sound_file']);
  t.strictSame(await names({ prompt: long, image: 'A' }), ['image'], 'however short');
  t.strictSame((await read(JSON.stringify({ image: '', mode: 'A' }))).value, { image: '', mode: 'A' });
  t.strictSame(await names({ metadata: { image: long } }), []);
  t.strictSame(await names([{ image: long }]), []);
  t.strictSame(await names({ image: [long] }), []);
  const { value, media } = await read(JSON.stringify({ image: `https://${long}`, mode: 'std' }));
  t.strictSame(value, { image: '?', mode: 'std' });
  t.match(media.get('image'), { kind: 'invalid', error: { name: 'UrlNotAllowedError' } });
});

t.test('the rest of a body is bounded, wherever it stands', async (t) => {
  const large = 300 * 1024;
  for (const body of [
    `{"prompt":"${'a'.repeat(large)}"}`,
    `{"image":"${'A'.repeat(LONG)}"${' '.repeat(large)}}`,
  ]) {
    t.strictSame(await outcome(body), { problem: 'payload-too-large' });
  }
});

t.test('bytes that are not UTF-8 are found in what stays', async (t) => {
  const broken = (text: string) => Buffer.from(text, 'latin1');
  t.strictSame(await outcome(broken('{"prompt":"\xe9"}')), { problem: 'invalid-json' });
  // Within media it is left to whoever reads base64, or the URL.
  const text = broken(`${'A'.repeat(LONG)}\xe9`);
  t.strictSame(await outcome(Buffer.concat([broken('{"image":"'), text, broken('"}')])), {
    value: { image: { kind: 'base64', bytes: `${'A'.repeat(LONG)}?` } },
  });
});

t.test('[E20] [R24] a byte order mark at the beginning is passed over, and nowhere else', async (t) => {
  const body = `\ufeff${JSON.stringify(URLS)}`;
  const { value, media } = await read(body);
  t.match(value, { audio_id: URLS.audio_id });
  t.equal(media.size, 1);
  t.strictSame(await outcome(`\ufeff${body}`), { problem: 'invalid-json' });
  t.strictSame(await outcome(JSON.stringify(URLS).replace('{', '{\ufeff')), { problem: 'invalid-json' });
  const { url } = await startApp(t);
  t.equal((await postJson(url, Buffer.from(body))).status, 202);
});

t.test('[E9] members and elements are bounded, on all levels together', async (t) => {
  const names = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, i) => [`n${i}`, 1]));
  t.match(await outcome(JSON.stringify({ a: names(100), b: names(100) })), { value: {} });
  const tooMany = [
    JSON.stringify(names(251)),
    JSON.stringify({ a: names(130), b: names(130) }),
    JSON.stringify({ a: Array.from({ length: 251 }, () => 1) }),
    JSON.stringify(Array.from({ length: 130 }, () => [])),
    JSON.stringify(Array.from({ length: 130 }, () => ({ a: 1 }))),
    `${','.repeat(300)}`,
  ];
  for (const body of tooMany)
    t.strictSame(await outcome(body), { problem: 'invalid-json' }, body.slice(0, 40));
});

t.test('escapes in media are undone, wherever slices of them end', async (t) => {
  for (const unit of [
    '\\/',
    '\\u002B',
    'A\\/',
    'AB\\u002f',
    'ABC\\\\',
    '\\"',
    '\\u00e9',
    '\\ud83d\\ude00',
    '\\u0141',
  ]) {
    const written = unit.repeat(20_000 + unit.length);
    const body = `{"image":"${written}","sound_file":"${written}A"}`;
    t.strictSame(await outcome(body), expected(body), unit);
    for (const bad of ['\\', '\\u', '\\u00', '\\x41', '\n\\/']) {
      t.strictSame(await outcome(`{"image":"${written}${bad}"}`), { problem: 'invalid-json' });
    }
  }
});

t.test('two media do not share memory, which other threads are given', async (t) => {
  const { media } = await read(JSON.stringify({ image: 'AAAA', sound_file: 'BBBB' }));
  const [first, second] = [...media.values()].map((each) => (each.kind === 'base64' ? each.bytes : null));
  t.equal(String(first), 'AAAA');
  t.equal(String(second), 'BBBB');
  t.not(first?.buffer, second?.buffer);
});

t.test('megabytes of quotes and backslashes come to an end', async (t) => {
  for (const piece of ['\\"', '\\\\', '"', '\\', '\\u0041', '\\/']) {
    t.ok(await outcome(`{"image":"${piece.repeat(1_000_000)}"}`), JSON.stringify(piece));
  }
});
