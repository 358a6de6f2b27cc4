/** Bodies that are not acceptable JSON, or hold what no field may hold. */

import { URLS } from '../../support/requests.js';
import { type BadInput, INVALID_JSON, post, TOO_LARGE, VALIDATION } from './case.js';

const text = JSON.stringify(URLS);
const LONG = 'A'.repeat(8_192);

const members = (count: number) =>
  `{${Array.from({ length: count }, (_, index) => `"n${index.toString(36)}":1`).join(',')}}`;

const malformed: [string, string | Buffer][] = [
  ['an empty body', ''],
  ['white space only', ' \r\n\t'],
  ['a body cut in a name', '{"ima'],
  ['a body cut in a string', '{"image":"https://example.com'],
  ['a body cut in a long string', `{"image":"${LONG}`],
  ['a body cut before its last brace', text.slice(0, -1)],
  ['a body with one brace too many', `${text}}`],
  ['a body with something behind it', `${text} true`],
  ['two bodies', text + text],
  ['a comma too many', text.replace('}', ',}')],
  ['a comma too few', text.replace('","', '""')],
  ['a long string without a comma before it', `{"audio_id":"a""image":"${LONG}"}`],
  ['two long strings in one place', `{"audio_id":"a","image":"${LONG}""${LONG}"}`],
  ['single quotes', text.replaceAll('"', "'")],
  ['a comment', `/* hello */${text}`],
  ['a name without quotes', text.replace('"image"', 'image')],
  ['NaN', '{"image":NaN}'],
  ['undefined', '{"image":undefined}'],
  ['a hexadecimal number', '{"image":0x10}'],
  ['a leading zero', '{"image":01}'],
  ['a line feed in a string', '{"image":"a\nb"}'],
  ['a line feed in a long string', `{"audio_id":"a","image":"data:\n${LONG}"}`],
  ['a NUL byte in a string', '{"image":"a\0b"}'],
  ['an unknown escape', '{"image":"\\x41"}'],
  ['an unknown escape in a long string', `{"image":"${LONG}\\x41"}`],
  ['half an escape', '{"image":"\\u00"}'],
  ['a form', 'image=a&audio_id=b'],
  ['XML', '<image>a</image>'],
  ['two byte order marks', `\ufeff\ufeff${text}`],
  ['a byte order mark and nothing', '\ufeff'],
  ['UTF-16 with a byte order mark', Buffer.from(`\ufeff${text}`, 'utf16le')],
  ['UTF-16 the other way round', Buffer.from(`\ufeff${text}`, 'utf16le').swap16()],
  ['UTF-32', Buffer.from([...text].map((character) => `\0\0\0${character}`).join(''))],
  ['a NUL byte behind it', `${text}\0`],
  ['a byte above ASCII behind it', Buffer.concat([Buffer.from(text), Buffer.from([0xff])])],
  ['Infinity', '{"image":-Infinity}'],
  ['a number without its digits', '{"image":1.}'],
  ['a number with a plus', '{"image":+1}'],
  ['a form feed between members', text.replace(',', ',\f')],
  ['a no-break space between members', text.replace(',', ',\u00a0')],
  ['true in capitals', '{"image":True}'],
  ['an array that ends as an object', '{"metadata":["a"}'],
  ['1,000,000 levels of arrays', '['.repeat(1_000_000)],
  ['17 levels that end', `${'['.repeat(17)}${']'.repeat(17)}`],
  ['a member twice, both with escapes', '{"\\u0069mage":"a","i\\u006dage":"b"}'],
  ['a member twice, once with an escaped slash', '{"a/b":"a","a\\/b":"b"}'],
  ['__proto__ with escapes all over', '{"\\u005f\\u005f\\u0070roto\\u005f\\u005F":{}}'],
  ['__proto__ in an array', '{"metadata":[{"__proto__":{}}]}'],
  ['constructor.prototype with an escape', '{"constructor":{"\\u0070rototype":{}}}'],
  ['UTF-16', Buffer.from(text, 'utf16le')],
  [
    'a lone continuation byte',
    Buffer.concat([Buffer.from('{"prompt":"'), Buffer.from([0x80]), Buffer.from('"}')]),
  ],
  [
    'a cut UTF-8 sequence',
    Buffer.concat([Buffer.from('{"prompt":"'), Buffer.from([0xe2, 0x82]), Buffer.from('"}')]),
  ],
  [
    'an overlong slash',
    Buffer.concat([Buffer.from('{"prompt":"'), Buffer.from([0xc0, 0xaf]), Buffer.from('"}')]),
  ],
  [
    'a surrogate in UTF-8',
    Buffer.concat([Buffer.from('{"prompt":"'), Buffer.from([0xed, 0xa0, 0x80]), Buffer.from('"}')]),
  ],
  ['compressed bytes', Buffer.from([0x1f, 0x8b, 0x08, 0, 0, 0, 0, 0, 0, 3])],
  ['a member twice', '{"mode":"std","mode":"pro"}'],
  ['a member twice, once with an escape', '{"image":"a","\\u0069mage":"b"}'],
  ['a long member twice', `{"image":"${LONG}","image":"${LONG}"}`],
  ['a member twice below', '{"metadata":{"a":"1","a":"2"}}'],
  ['a member twice in an array', '{"metadata":[{"a":"1","a":"2"}]}'],
  ['__proto__', '{"__proto__":{"mode":"pro"}}'],
  ['__proto__ with an escape', '{"\\u005f_proto__":{"mode":"pro"}}'],
  ['__proto__ below', '{"metadata":{"__proto__":"a"}}'],
  ['constructor.prototype', '{"constructor":{"prototype":{"mode":"pro"}}}'],
  ['constructor.prototype below', '{"metadata":{"constructor":{"prototype":{}}}}'],
  ['17 levels', `${'{"a":'.repeat(17)}1${'}'.repeat(17)}`],
  ['100,000 levels of arrays', '['.repeat(100_000)],
  ['100,000 levels of objects', '{"a":'.repeat(30_000)],
  ['[E9] 23,000 names in metadata', JSON.stringify({ ...URLS, metadata: JSON.parse(members(23_000)) })],
  ['[E9] 300 unknown members', members(300)],
  ['1,000,000 unknown members', members(1_000_000)],
  ['30,000 elements', `[${'1,'.repeat(30_000)}1]`],
  ['[E9] 80,000 strings in the place of one', `{"image":${'"a"'.repeat(80_000)}}`],
  ['100,000 colons', `{"a"${':'.repeat(100_000)}`],
];

const tooLarge: [string, string][] = [
  ['a prompt of a megabyte', JSON.stringify({ ...URLS, prompt: 'a'.repeat(1_000_000) })],
  ['a megabyte where no media belong', JSON.stringify({ ...URLS, image: ['A'.repeat(1_000_000)] })],
  ['a megabyte of metadata', JSON.stringify({ ...URLS, metadata: { a: 'a'.repeat(1_000_000) } })],
  ['a megabyte of white space', `{${' '.repeat(1_000_000)}`],
  ['a name of a megabyte', `{"${'a'.repeat(1_000_000)}":1}`],
];

const topLevel: [string, string][] = [
  ['a number beyond all numbers', '1e999'],
  ['false', 'false'],
  ['an empty array', '[]'],
  ['an empty string', '""'],
  ['a number', '5'],
  ['a string', '"image"'],
  ['a long string', JSON.stringify(LONG)],
  ['null', 'null'],
  ['true', 'true'],
  ['an array', `[${text}]`],
];

/** In the pointer a name is cut after 64 characters. */
const cutName = (name: string) => `/${name.slice(0, 64)}`;

export const jsonCases: BadInput[] = [
  ...malformed.map(([name, body]) => post(name, body, INVALID_JSON)),
  ...tooLarge.map(([name, body]) => post(name, body, TOO_LARGE)),
  ...topLevel.map(([name, body]) => post(`${name} as the body`, body, VALIDATION, [''])),
  post(
    'unknown members without number',
    members(200).replace(/\}$/, `,"image":"a","audio_id":"b"}`),
    VALIDATION,
    Array.from({ length: 20 }, (_, index) => `/n${index.toString(36)}`),
  ),
  post('an unknown member', { ...URLS, sound: 'a' }, VALIDATION, ['/sound']),
  post('an unknown member in another case', { ...URLS, Prompt: 'a' }, VALIDATION, ['/Prompt']),
  post('an unknown member without a name', { ...URLS, '': 'a' }, VALIDATION, ['/']),
  post('an unknown member with ~ and /', { ...URLS, 'a/b~c': 'a' }, VALIDATION, ['/a~1b~0c']),
  post('an unknown member with a long name', { ...URLS, ['n'.repeat(9_000)]: 1 }, VALIDATION, [
    cutName('n'.repeat(9_000)),
  ]),
  post(
    'a member of every object',
    { ...URLS, constructor: 'a', toString: 'b', hasOwnProperty: 1 },
    VALIDATION,
    ['/constructor', '/hasOwnProperty', '/toString'],
  ),
];
