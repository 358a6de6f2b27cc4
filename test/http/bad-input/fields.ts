/** Well-formed bodies with a field at fault. */

import { URLS } from '../../support/requests.js';
import { ask, type BadInput, NOT_FOUND, post, VALIDATION } from './case.js';

const { image, audio_id } = URLS;
const sound_file = 'https://example.com/speech.mp3';
const EITHER = ['/sound_file', '/audio_id'];

const jsonInit = (body: unknown): RequestInit => ({
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(body),
});

/** What is at fault, the body, the pointers. */
type Row = readonly [string, unknown, readonly string[]];

const missing: Row[] = [
  ['nothing', {}, ['/image', ...EITHER]],
  ['no image', { audio_id }, ['/image']],
  ['neither audio_id nor sound_file', { image }, EITHER],
  ['both audio_id and sound_file', { image, audio_id, sound_file }, EITHER],
  ['both, and no image', { audio_id, sound_file }, ['/image', ...EITHER]],
  [
    'everything at once',
    { image: 1, mode: 'STD', prompt: '', extra: 1 },
    ['/image', '/mode', '/prompt', '/extra', ...EITHER],
  ],
];

const STRINGS = ['image', 'sound_file', 'audio_id', 'prompt', 'mode', 'external_id'] as const;
const NOT_STRINGS: [string, unknown][] = [
  ['a number', 5],
  ['zero', 0],
  ['true', true],
  ['null', null],
  ['an object', {}],
  ['an array', []],
  ['an array of one string', ['std']],
];

/** A good body with one field changed. */
function having(field: (typeof STRINGS)[number], value: unknown): Record<string, unknown> {
  return field === 'sound_file' ? { image, sound_file: value } : { ...URLS, [field]: value };
}

const notStrings: Row[] = STRINGS.flatMap((field) =>
  NOT_STRINGS.map(([what, value]): Row => [`${what} for ${field}`, having(field, value), [`/${field}`]]),
);

const empty: Row[] = STRINGS.map((field): Row => [`an empty ${field}`, having(field, ''), [`/${field}`]]);

const TEXTS = ['audio_id', 'prompt', 'external_id'] as const;
const notText: Row[] = TEXTS.flatMap((field): Row[] => [
  [`NUL in ${field}`, having(field, 'a\0b'), [`/${field}`]],
  [`a lone high surrogate in ${field}`, having(field, 'a\ud800b'), [`/${field}`]],
  [`a lone low surrogate in ${field}`, having(field, '\udc00'), [`/${field}`]],
  [`surrogates in the wrong order in ${field}`, having(field, '\udc00\ud800'), [`/${field}`]],
]);

const lengths: Row[] = [
  ['a prompt of 2501 characters', having('prompt', 'a'.repeat(2501)), ['/prompt']],
  ['a prompt of 2501 emoji', having('prompt', '🙂'.repeat(2501)), ['/prompt']],
  ['a prompt of 100,000 characters', having('prompt', 'a'.repeat(100_000)), ['/prompt']],
  ['an audio_id of 257 characters', having('audio_id', 'a'.repeat(257)), ['/audio_id']],
  ['an external_id of 256 characters', having('external_id', 'a'.repeat(256)), ['/external_id']],
];

const modes: Row[] = ['STD', 'Pro', ' std', 'std ', 'fast', 'std\n', 'null'].map(
  (mode): Row => [`mode ${JSON.stringify(mode)}`, having('mode', mode), ['/mode']],
);

const noted = (metadata: unknown) => ({ ...URLS, metadata });
const entries = (count: number) =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [`name-${index}`, 'value']));

const metadata: Row[] = [
  ['metadata that is a string', noted('a'), ['/metadata']],
  ['metadata that is a number', noted(1), ['/metadata']],
  ['metadata that is null', noted(null), ['/metadata']],
  ['metadata that is an array', noted(['a']), ['/metadata']],
  ['51 names in metadata', noted(entries(51)), ['/metadata']],
  ['200 names in metadata', noted(entries(200)), ['/metadata']],
  ['an empty name in metadata', noted({ '': 'a' }), ['/metadata/']],
  ['a name of 41 characters in metadata', noted({ ['n'.repeat(41)]: 'a' }), [`/metadata/${'n'.repeat(41)}`]],
  [
    'a name of 9000 characters in metadata',
    noted({ ['n'.repeat(9000)]: 'a' }),
    [`/metadata/${'n'.repeat(64)}`],
  ],
  ['NUL in a name in metadata', noted({ 'a\0b': 'a' }), ['/metadata/a\0b']],
  ['a lone surrogate in a name in metadata', noted({ 'a\ud800': 'a' }), ['/metadata/a\ufffd']],
  [
    '~ and / in a long name in metadata',
    noted({ [`~/${'n'.repeat(40)}`]: 'a' }),
    [`/metadata/~0~1${'n'.repeat(40)}`],
  ],
  ['a value of 501 characters in metadata', noted({ a: 'a'.repeat(501) }), ['/metadata/a']],
  ['NUL in a value in metadata', noted({ a: '\0' }), ['/metadata/a']],
  ['a lone surrogate in a value in metadata', noted({ a: '\ud800' }), ['/metadata/a']],
  ['a number in metadata', noted({ a: 1 }), ['/metadata/a']],
  ['null in metadata', noted({ a: null }), ['/metadata/a']],
  ['true in metadata', noted({ a: true }), ['/metadata/a']],
  ['an object in metadata', noted({ a: { b: 'c' } }), ['/metadata/a']],
  ['a number under a name with a line feed', noted({ 'a\nb': 1 }), ['/metadata/a\nb']],
  ['two values at fault in metadata', noted({ a: 1, b: 'b', c: 2 }), ['/metadata/a', '/metadata/c']],
];

const RESOLVE = `/avatars/av_${'0'.repeat(32)}/resolve`;
const ONE_OF = ['/task_id', '/made'];
const resolutions: Row[] = [
  ['resolve: nothing', {}, ONE_OF],
  ['resolve: both', { task_id: 'task-1', made: false }, ONE_OF],
  ['resolve: made: true', { made: true }, ['/made']],
  ['resolve: made: "false"', { made: 'false' }, ['/made']],
  ['resolve: made: 0', { made: 0 }, ['/made']],
  ['resolve: a number', { task_id: 1 }, ['/task_id']],
  ['resolve: an empty task_id', { task_id: '' }, ['/task_id']],
  ['resolve: a task_id with a space', { task_id: 'task 1' }, ['/task_id']],
  ['resolve: a task_id with a line feed', { task_id: 'task-1\n' }, ['/task_id']],
  ['resolve: a task_id of 257 characters', { task_id: 't'.repeat(257) }, ['/task_id']],
  ['resolve: an unknown member', { made: false, why: 'a' }, ['/why']],
  ['resolve: an array', [{ made: false }], ['']],
];

export const fieldCases: BadInput[] = [missing, notStrings, empty, notText, lengths, modes, metadata]
  .flat()
  .map(([name, body, pointers]) => post(name, body, VALIDATION, pointers))
  .concat(
    resolutions.map(([name, body, pointers]) => ({
      ...ask(RESOLVE, jsonInit(body), VALIDATION, { pointers }),
      name,
    })),
    { ...ask(RESOLVE, jsonInit({ made: false }), NOT_FOUND), name: 'resolve: an unknown avatar' },
  );
