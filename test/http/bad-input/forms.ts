/** Forms that are not acceptable, or hold what is not. */

import { portrait, speech, wav } from '../../support/requests.js';
import { type BadInput, INVALID_JSON, INVALID_MEDIA, post, TOO_LARGE, VALIDATION } from './case.js';

export const INVALID_MULTIPART = [400, 'invalid-multipart'] as const;

const BOUNDARY = 'the-boundary';
const TYPE = { 'content-type': `multipart/form-data; boundary=${BOUNDARY}` };

/** A part as it goes over the wire; with a file name it is a file. */
function part(name: string, value: string | Buffer, file?: string): Buffer {
  const filename = file === undefined ? '' : `; filename="${file}"\r\nContent-Type: image/jpeg`;
  const head = `--${BOUNDARY}\r\nContent-Disposition: form-data; name="${name}"${filename}\r\n\r\n`;
  return Buffer.concat([Buffer.from(head), Buffer.from(value), Buffer.from('\r\n')]);
}

const END = Buffer.from(`--${BOUNDARY}--\r\n`);
const image = part('image', portrait, 'a.jpg');
const sound = part('sound_file', speech, 'b.mp3');

const form = (
  name: string,
  parts: readonly Buffer[],
  expected: BadInput['expected'],
  pointers?: readonly string[],
): BadInput => post(`form: ${name}`, Buffer.concat([...parts, END]), expected, pointers, TYPE);

/** A form that is good but for where it is to be told. */
export const callbackForm = (url: string, expected: BadInput['expected']): BadInput =>
  form(`callback_url ${url}`, [image, sound, part('callback_url', url)], expected, ['/callback_url']);

const bytes = (name: string, body: Buffer | string, type = TYPE['content-type']): BadInput =>
  post(`form: ${name}`, body, INVALID_MULTIPART, undefined, { 'content-type': type });

/** A form of one part of which the disposition is odd. */
const named = (parameters: string, disposition = 'form-data') =>
  `--${BOUNDARY}\r\nContent-Disposition: ${disposition}${parameters}\r\n\r\nx\r\n--${BOUNDARY}--\r\n`;

const whole = Buffer.concat([image, sound, END]);

export const formCases: BadInput[] = [
  bytes('no boundary', whole, 'multipart/form-data'),
  bytes('an empty boundary', whole, 'multipart/form-data; boundary='),
  bytes('a quoted boundary that is empty', whole, 'multipart/form-data; boundary=""'),
  bytes('a boundary that is too long', whole, `multipart/form-data; boundary=${'b'.repeat(71)}`),
  bytes('a boundary with a character that cannot be in it', whole, 'multipart/form-data; boundary="a{b"'),
  bytes('another boundary than that of the body', whole, 'multipart/form-data; boundary=other'),
  bytes('a boundary of 200 characters', whole, `multipart/form-data; boundary=${'b'.repeat(200)}`),
  bytes('a boundary that ends in a space', whole, 'multipart/form-data; boundary="a "'),
  bytes('a boundary that is not ASCII', whole, 'multipart/form-data; boundary="\xe9"'),
  bytes('a boundary without its quote', whole, `multipart/form-data; boundary="${BOUNDARY}`),
  bytes('the boundary of another case', whole, `multipart/form-data; boundary=${BOUNDARY.toUpperCase()}`),
  bytes('a preamble of a megabyte, and no part', Buffer.alloc(1_000_000, 'p')),
  bytes('a part without a name', named('')),
  bytes('a part that is an attachment', named('; name="prompt"', 'attachment')),
  bytes('a part without a disposition', `--${BOUNDARY}\r\nX-Y: z\r\n\r\nx\r\n--${BOUNDARY}--\r\n`),
  bytes('line feeds without carriage returns', whole.toString('latin1').replaceAll('\r\n', '\n')),
  bytes('an empty body', ''),
  bytes('no parts', END),
  bytes('words', 'hello'),
  bytes('JSON', '{"image":"https://example.com/a.jpg","audio_id":"a"}'),
  bytes('unterminated: behind a part', Buffer.concat([image, sound])),
  bytes('unterminated: within a file', Buffer.concat([image, sound]).subarray(0, -500)),
  bytes('unterminated: within a head', `--${BOUNDARY}\r\nContent-Disposition: form-da`),
  bytes('unterminated: within the last boundary', whole.subarray(0, -6)),
  bytes(
    'unterminated: within a long part that says nothing of itself',
    `--${BOUNDARY}\r\n\r\n${'a'.repeat(100_000)}`,
  ),
  form('two files for one field', [image, image, sound], INVALID_MULTIPART),
  form(
    'a file and a text for one field',
    [image, part('image', 'https://example.com/a.jpg'), sound],
    INVALID_MULTIPART,
  ),
  form('a text twice', [image, sound, part('mode', 'std'), part('mode', 'std')], INVALID_MULTIPART),
  form('an unknown file', [image, sound, part('video', portrait, 'c.mp4')], INVALID_MULTIPART),
  form('an unknown text', [image, sound, part('colour', 'red')], INVALID_MULTIPART),
  form('an unknown text before the files', [part('colour', 'red'), image, sound], INVALID_MULTIPART),
  form('a name in another case', [part('Image', portrait, 'a.jpg'), sound], INVALID_MULTIPART),
  form('a name with brackets', [part('image[]', portrait, 'a.jpg'), sound], INVALID_MULTIPART),
  form('a name that is empty', [part('', 'x'), image, sound], INVALID_MULTIPART),
  form('__proto__', [image, sound, part('__proto__', 'x')], INVALID_MULTIPART),
  form('__proto__ as a file', [image, sound, part('__proto__', portrait, 'a.jpg')], INVALID_MULTIPART),
  form('constructor', [image, sound, part('constructor', 'x')], INVALID_MULTIPART),
  form('hasOwnProperty', [image, sound, part('hasOwnProperty', 'x')], INVALID_MULTIPART),
  form('a prompt as a file', [image, sound, part('prompt', 'She smiles.', 'p.txt')], INVALID_MULTIPART),
  form(
    'more parts than there are fields',
    Array.from({ length: 30 }, (_, i) => part(`f${i}`, 'x')),
    INVALID_MULTIPART,
  ),
  form(
    '10,000 parts',
    Array.from({ length: 10_000 }, () => part('prompt', 'x')),
    INVALID_MULTIPART,
  ),
  form('__proto__ with brackets', [image, sound, part('__proto__[mode]', 'pro')], INVALID_MULTIPART),
  form('constructor.prototype', [image, sound, part('constructor[prototype]', 'x')], INVALID_MULTIPART),
  form('a NUL in a name', [image, sound, part('prompt\0', 'x')], INVALID_MULTIPART),
  form('texts that are too large', [image, sound, part('prompt', 'a'.repeat(300_000))], TOO_LARGE),
  form('a long text that is no picture', [part('image', 'A'.repeat(300_000)), sound], INVALID_MEDIA, [
    '/image',
  ]),
  form('metadata that is no JSON', [image, sound, part('metadata', 'a=b')], INVALID_JSON),
  form('metadata with a member twice', [image, sound, part('metadata', '{"a":"b","a":"c"}')], INVALID_JSON),
  form('metadata with __proto__', [image, sound, part('metadata', '{"__proto__":"b"}')], INVALID_JSON),
  form('metadata that is a list', [image, sound, part('metadata', '["a"]')], VALIDATION, ['/metadata']),
  form('metadata with a number', [image, sound, part('metadata', '{"a":1}')], VALIDATION, ['/metadata/a']),
  post(
    'form: a name in another charset alone',
    named(`; name*=UTF-8''image`),
    VALIDATION,
    ['/audio_id', '/sound_file'],
    TYPE,
  ),
  post(
    'form: a part with a long header, and none that is asked for',
    named(`; name="prompt"\r\nX-Y: ${'a'.repeat(100_000)}`),
    VALIDATION,
    ['/image', '/audio_id', '/sound_file'],
    TYPE,
  ),
  form('no portrait', [sound], VALIDATION, ['/image']),
  form('a portrait left empty, as browsers send it', [part('image', '', ''), sound], VALIDATION, ['/image']),
  form('no speech', [image], VALIDATION, ['/audio_id', '/sound_file']),
  form('speech twice over', [image, sound, part('audio_id', 'a')], VALIDATION, ['/audio_id', '/sound_file']),
  form('a mode of another case', [image, sound, part('mode', 'STD')], VALIDATION, ['/mode']),
  form('a prompt of 2501 characters', [image, sound, part('prompt', 'a'.repeat(2501))], VALIDATION, [
    '/prompt',
  ]),
  form('NUL in a text', [image, sound, part('external_id', 'a\0b')], VALIDATION, ['/external_id']),
  form(
    'a file with a path and a lie of a type',
    [part('image', speech, '../../a.jpg'), sound],
    INVALID_MEDIA,
    ['/image'],
  ),
  form('a file of no bytes', [part('image', '', 'a.jpg'), sound], INVALID_MEDIA, ['/image']),
  form(
    'the files the other way round',
    [part('image', speech, 'a.jpg'), part('sound_file', portrait, 'b.mp3')],
    INVALID_MEDIA,
    ['/image', '/sound_file'],
  ),
  form('base64 in a file', [part('image', portrait.toString('base64'), 'a.jpg'), sound], INVALID_MEDIA, [
    '/image',
  ]),
  form('a portrait that is cut', [part('image', portrait.subarray(0, -100), 'a.jpg'), sound], INVALID_MEDIA, [
    '/image',
  ]),
  form('speech of 1.9 s', [image, part('sound_file', wav(1.9), 'b.wav')], INVALID_MEDIA, ['/sound_file']),
  form(
    'a picture over 10 MB',
    [part('image', Buffer.concat([portrait, Buffer.alloc(10_000_000)]), 'a.jpg'), sound],
    INVALID_MEDIA,
    ['/image'],
  ),
  form(
    'a URL that is not allowed',
    [part('image', 'ftp://example.com/a.jpg'), sound],
    [422, 'url-not-allowed'],
    ['/image'],
  ),
];
