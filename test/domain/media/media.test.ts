/** A URL or a file: told apart by the text, and only http(s) URLs go on. */

import fc from 'fast-check';
import t from 'tap';
import {
  checkHttpUrl,
  classifyMedia,
  MediaError,
  UrlNotAllowedError,
} from '../../../src/domain/media/media.js';

const classify = (text: string) => classifyMedia(Buffer.from(text, 'utf8'));

t.test('files', async (t) => {
  const cases: Array<[string, string]> = [
    ['AAAA', 'AAAA'],
    [
      'not base64 at all, which is for the decoder to say',
      'not base64 at all, which is for the decoder to say',
    ],
    ['//no.scheme.example/a.png', '//no.scheme.example/a.png'],
    [`${'A'.repeat(64)}:`, `${'A'.repeat(64)}:`],
    ['data:image/png;base64,AAAA', 'AAAA'],
    ['data:;base64,AAAA', 'AAAA'],
    ['DATA:text/html;charset=utf-8;BASE64,AAAA', 'AAAA'],
    ['data:image/png;base64,AA,A', 'AA,A'],
  ];
  for (const [text, base64] of cases) {
    const media = classify(text);
    t.equal(media.kind === 'inline' && media.base64.toString(), base64, text);
  }
  const text = Buffer.from('data:image/png;base64,AAAA');
  const media = classifyMedia(text);
  t.equal(media.kind === 'inline' && media.base64.buffer, text.buffer, 'nothing is copied');
});

t.test('files that are refused by their label', async (t) => {
  const cases: Array<[string, RegExp]> = [
    ['', /^is empty$/],
    ['data:', /without a comma/],
    ['data:image/png;base64', /without a comma/],
    [`data:${'a'.repeat(2000)};base64,AAAA`, /without a comma/],
    ['data:image/png,AAAA', /not base64/],
    ['data:,AAAA', /not base64/],
    ['data:image/png;base64;x=1,AAAA', /not base64/],
    ['data:image/svg+xml;utf8,<svg/>', /not base64/],
    ['data:image/png;base64,', /without data/],
  ];
  for (const [text, detail] of cases) {
    t.throws(() => classify(text), { name: 'MediaError', detail }, text.slice(0, 60));
  }
});

t.test('URLs that go on as they came', async (t) => {
  const urls = [
    'https://a.example/x.png',
    'http://a.example',
    'HTTPS://A.example:8443/x?y=z#w',
    'https://a.example/a%20b?c=@d',
    'https://127.0.0.1/x.png',
    'http://[::1]:80/x',
    'https://xn--bcher-kva.example/',
    `https://a.example/${'a'.repeat(8192 - 18)}`,
  ];
  for (const url of urls) t.strictSame(classify(url), { kind: 'url', url }, url.slice(0, 60));
});

t.test('URLs that do not', async (t) => {
  const cases: Array<[string, RegExp]> = [
    ['ftp://a.example/x.png', /not an http or https/],
    ['file:///etc/passwd', /not an http or https/],
    ['javascript:alert(1)', /not an http or https/],
    ['blob:https://a.example/1', /not an http or https/],
    ['s3://bucket/key', /not an http or https/],
    ['C:/a.png', /not an http or https/],
    [':AAAA', /not an http or https/],
    [' https://a.example/', /space/],
    ['https://a.example/ b', /space/],
    ['https://a.example/\n', /control/],
    ['https://a.example/\0', /control/],
    ['ht\ttps://a.example/', /control/],
    [' data:image/png;base64,AAAA', /space/],
    ['https://bücher.example/', /non-ASCII/],
    ['https:', /no host/],
    ['https:a.example', /no host/],
    ['https:/a.example', /no host/],
    ['https://', /no host/],
    ['https:///a.example', /no host/],
    ['https://?a', /no host/],
    ['https://me@a.example/', /user info/],
    ['https://me:secret@a.example/', /user info/],
    ['https://@a.example/', /user info/],
    ['https://:@a.example/', /user info/],
    ['https://a.example\\@b.example/', /user info/],
    ['https:\\\\a.example/', /no host/],
    ['https://a.example\\b', /backslash/],
    ['https://:80/', /not a valid URL/],
    ['https://a.example:99999/', /not a valid URL/],
    ['https://[::1/', /not a valid URL/],
    ['https://1.2.3.256/', /not a valid URL/],
    ['https://a%00b.example/', /not a valid URL/],
    [`https://a.example/${'a'.repeat(8193 - 18)}`, /is too long; a URL may have at most 8192/],
  ];
  for (const [url, detail] of cases) {
    t.throws(() => classify(url), { name: 'UrlNotAllowedError', detail }, url.slice(0, 60));
    if (url.length > 0) t.throws(() => checkHttpUrl(url), { name: 'UrlNotAllowedError' });
  }
});

t.test('whatever comes is a URL, a file, or refused; and a URL has a host and no user', async () => {
  const parts = fc.constantFrom(
    'http',
    'https:',
    '//',
    '/',
    '\\',
    '@',
    ':',
    '?',
    '#',
    'a.example',
    '[',
    '\t',
    'é',
    '%',
  );
  fc.assert(
    fc.property(fc.array(parts, { maxLength: 10 }), (pieces) => {
      try {
        const media = classify(pieces.join(''));
        if (media.kind === 'inline') return true;
        const { protocol, host, username, password } = new URL(media.url);
        return /^https?:$/.test(protocol) && host !== '' && username === '' && password === '';
      } catch (error) {
        return error instanceof MediaError || error instanceof UrlNotAllowedError;
      }
    }),
    { numRuns: 3_000 },
  );
});
