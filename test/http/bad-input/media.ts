/** Media that Modellix would refuse, and URLs that are not passed on. */

import { readFileSync } from 'node:fs';
import { GOOD, portrait, speech, URLS, wav } from '../../support/requests.js';
import { type BadInput, INVALID_MEDIA, post, TOO_LARGE, URL_NOT_ALLOWED, VALIDATION } from './case.js';

const fixture = (name: string) =>
  readFileSync(new URL(`../../domain/media/fixtures/${name}`, import.meta.url)).toString('base64');
const base64 = (bytes: Buffer | string) => Buffer.from(bytes).toString('base64');
const megabytes = (count: number) => Buffer.alloc(count * 1_000_000);

/** The portrait with another size in its frame header. */
function claiming(width: number, height: number): string {
  const bytes = Buffer.from(portrait);
  const frame = bytes.indexOf(Buffer.from([0xff, 0xc0, 0x00, 0x11, 0x08]));
  if (frame === -1) throw new Error('the portrait is no baseline JPEG');
  bytes.writeUInt16BE(height, frame + 5);
  bytes.writeUInt16BE(width, frame + 7);
  return base64(bytes);
}

const notBase64: [string, string][] = [
  ['text that is not base64', 'not base64!'],
  ['base64 without its padding', `${GOOD.image.slice(0, 4000)}AA`],
  ['base64 with something behind its padding', `${base64(portrait.subarray(0, 3001))}AAAA`],
  ['three equals signs', 'AAAAA==='],
  ['only padding', '===='],
  ['bits under the padding', 'AB=='],
  ['the URL-safe alphabet', GOOD.image.replaceAll('/', '_').replaceAll('+', '-')],
  ['a line feed in base64', `${GOOD.image.slice(0, 76)}\n${GOOD.image.slice(76)}`],
  ['a space in base64', `${GOOD.image.slice(0, 76)} ${GOOD.image.slice(76)}`],
  ['white space around base64', ` ${GOOD.image} `],
  ['NUL in base64', `${GOOD.image.slice(0, 5000)}\0${GOOD.image.slice(5001)}`],
  ['a lone surrogate in base64', `${GOOD.image.slice(0, 5000)}\ud800${GOOD.image.slice(5001)}`],
  ['base64 with an accent', `${GOOD.image.slice(0, 5000)}é${GOOD.image.slice(5001)}`],
  ['a data: URI without data', 'data:image/jpeg;base64,'],
  ['a data: URI without a comma', 'data:image/jpeg;base64'],
  ['a data: URI that is not base64', 'data:image/jpeg,hello'],
  ['a data: URI in a data: URI', `data:image/jpeg;base64,data:image/jpeg;base64,${GOOD.image}`],
  ['a path', '/etc/passwd'],
  ['a long path', `/${'a'.repeat(6000)}`],
];

const notImages: [string, string][] = [
  ['an SVG', base64('<svg xmlns="http://www.w3.org/2000/svg" width="500" height="500"/>')],
  ['a WebP', fixture('webp.webp')],
  ['a GIF', fixture('gif.gif')],
  ['HTML', base64('<!doctype html><html><body>hello</body></html>')],
  ['a PDF', base64('%PDF-1.7\n%âãÏÓ\n1 0 obj\n<<>>\nendobj\n')],
  [
    'a ZIP named .jpg',
    `data:image/jpeg;name=face.jpg;base64,${base64(Buffer.from('504b0304140000000800', 'hex'))}`,
  ],
  ['text', base64('hello')],
  ['one byte', 'AA=='],
  ['speech', GOOD.sound_file],
  ['a video', fixture('film.mp4')],
  ['299x300', claiming(299, 300)],
  ['300x299', claiming(300, 299)],
  ['2501x1000', claiming(2501, 1000)],
  ['1000x2501', claiming(1000, 2501)],
  ['a header that claims 50000x50000', claiming(50_000, 50_000)],
  ['0x0', claiming(0, 0)],
  ['a truncated image', base64(portrait.subarray(0, -1000))],
  ['only the beginning of an image', base64(portrait.subarray(0, 20))],
  ['a truncated PNG', base64(Buffer.from(fixture('rgb.png'), 'base64').subarray(0, -12))],
  ['a PNG signature alone', base64(Buffer.from('89504e470d0a1a0a', 'hex'))],
  ['an image over 10 MB', base64(Buffer.concat([portrait, megabytes(10)]))],
];

const notSpeech: [string, string][] = [
  ['1.9 s', base64(wav(1.9))],
  ['300.1 s', base64(wav(300.1))],
  ['over 5 MB', base64(Buffer.concat([speech, megabytes(5)]))],
  ['a WAV that claims 10 s and holds 1', base64(wav(1, 8000))],
  ['a WAV that claims 4 GB', base64(wav(1, 0xffffff00))],
  ['a WAV header alone', base64(wav(0))],
  ['a cut WAV header', base64(wav(5).subarray(0, 30))],
  ['ogg', fixture('opus.ogg')],
  ['flac', fixture('flac.flac')],
  ['a text file', base64('hello, this is no speech at all')],
  ['silence of zero bytes', base64(megabytes(1))],
  ['an image', GOOD.image],
  ['layer 2', fixture('layer2.mp2')],
  ['a film', fixture('film.mp4')],
  ['an ID3 tag alone', base64(Buffer.from('49443304000000000000', 'hex'))],
];

const badUrls: [string, string][] = [
  ['ftp:', 'ftp://example.com/a.jpg'],
  ['file:', 'file:///etc/passwd'],
  ['javascript:', 'javascript:alert(1)'],
  ['blob:', 'blob:https://example.com/1'],
  ['s3:', 's3://bucket/key'],
  ['a user', 'https://user@example.com/a.jpg'],
  ['a user and a password', 'https://user:password@example.com/a.jpg'],
  ['8193 characters', `https://example.com/${'a'.repeat(8173)}`],
  ['10,000 characters', `https://example.com/${'a'.repeat(9980)}`],
  ['no host', 'https://'],
  ['no slashes', 'https:example.com/a.jpg'],
  ['an open bracket', 'https://[::1/a.jpg'],
  ['a port that is none', 'https://example.com:99999/a.jpg'],
  ['a space', 'https://example.com/a b.jpg'],
  ['a space before it', ' https://example.com/a.jpg'],
  ['a line feed', 'https://example.com/a\n.jpg'],
  ['a NUL', 'https://example.com/a\0.jpg'],
  ['a lone surrogate', 'https://example.com/\ud800.jpg'],
  ['a backslash', 'https:\\\\example.com\\a.jpg'],
  ['a letter that is not ASCII', 'https://example.com/é.jpg'],
  ['only a colon', ':'],
];

const image = (name: string, value: string, expected: BadInput['expected']) =>
  post(`image: ${name}`, { ...URLS, image: value }, expected, ['/image']);
const sound = (name: string, value: string, expected: BadInput['expected']) =>
  post(`sound_file: ${name}`, { image: URLS.image, sound_file: value }, expected, ['/sound_file']);

export const mediaCases: BadInput[] = [
  ...notBase64.flatMap(([name, value]) => [
    image(name, value, INVALID_MEDIA),
    sound(name, value, INVALID_MEDIA),
  ]),
  ...notImages.map(([name, value]) => image(name, value, INVALID_MEDIA)),
  ...notSpeech.map(([name, value]) => sound(name, value, INVALID_MEDIA)),
  ...badUrls.flatMap(([name, value]) => [
    image(name, value, URL_NOT_ALLOWED),
    sound(name, value, URL_NOT_ALLOWED),
  ]),
  post('both media at fault', { image: base64('hello'), sound_file: base64('hello') }, INVALID_MEDIA, [
    '/image',
    '/sound_file',
  ]),
  post('both URLs at fault', { image: 'ftp://a/b', sound_file: 'ftp://a/b' }, URL_NOT_ALLOWED, [
    '/image',
    '/sound_file',
  ]),
  post('one medium and one URL at fault', { image: 'ftp://a/b', sound_file: 'AAA' }, INVALID_MEDIA, [
    '/image',
    '/sound_file',
  ]),
  post('good media and a field at fault', { ...GOOD, prompt: '' }, VALIDATION, ['/prompt']),
  post('a body over the limit', { image: base64(megabytes(17)), sound_file: GOOD.sound_file }, TOO_LARGE),
];
