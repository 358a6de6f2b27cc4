/** Redirects are followed by hand: each target is checked like the first URL. */

import t from 'tap';
import type { Fetched } from '../../src/domain/media/fetched.js';
import {
  ALLOWED,
  answering,
  canary,
  failed,
  fetcherFor,
  httpServer,
  letGo,
  NOT_PUBLIC,
  namesOf,
} from './support.js';

const FILE: Fetched = { kind: 'bytes', bytes: Buffer.from('file') };

for (const status of [301, 302, 303, 307, 308]) {
  t.test(`${status} is followed, to another host as well`, async (t) => {
    const last = await httpServer(t, answering(200, {}, 'file'));
    const first = await httpServer(t, answering(status, { location: `${last.origin}/b.png?c=d#e` }));
    t.strictSame(await fetcherFor(t).fetch(`${first.origin}/a`, 100), FILE);
    t.equal(last.requests[0]?.url, '/b.png?c=d');
    t.equal(last.requests[0]?.method, 'GET');
    t.equal(last.requests[0]?.headers.host, last.origin.slice('http://'.length));
  });
}

t.test('a target is resolved against the URL it came from', async (t) => {
  const hops: Record<string, string> = { '/a/b?c': 'd?e', '/a/d?e': '../f', '/f': '?g' };
  const server = await httpServer(t, (response, { url = '' }) => {
    const location = hops[url];
    answering(
      location === undefined ? 200 : 302,
      location === undefined ? {} : { location },
      'file',
    )(response);
  });
  t.strictSame(await fetcherFor(t).fetch(`${server.origin}/a/b?c`, 100), FILE);
  t.strictSame(
    server.requests.map(({ url }) => url),
    ['/a/b?c', '/a/d?e', '/f', '/f?g'],
  );
  t.equal(server.sockets.length, 4, 'a connection for each');
});

t.test('a target without a scheme of its own', async (t) => {
  const last = await httpServer(t, answering(200, {}, 'file'));
  const location = `//${ALLOWED}:${last.port}/`;
  const first = await httpServer(t, answering(302, { location }));
  t.strictSame(await fetcherFor(t).fetch(first.origin, 100), FILE);
});

t.test('nothing that a host sets goes along', async (t) => {
  const headers = { location: '/next', 'set-cookie': 'a=b; Path=/', 'www-authenticate': 'Basic' };
  const server = await httpServer(t, (response, { url }) =>
    answering(url === '/next' ? 200 : 302, headers, 'file')(response),
  );
  await fetcherFor(t).fetch(server.origin, 100);
  const [first, second] = server.requests.map(({ headers }) => headers);
  t.strictSame(second, first);
});

for (const [given, followed] of [
  [undefined, 3],
  [0, 0],
  [1, 1],
] as const) {
  t.test(`a loop ends after ${followed} redirects`, async (t) => {
    const server = await httpServer(t, answering(302, { location: '/' }));
    const fetcher = fetcherFor(t, given === undefined ? {} : { maxRedirects: given });
    t.strictSame(await fetcher.fetch(server.origin, 100), failed(`more than ${followed} redirects`));
    t.equal(server.requests.length, followed + 1);
  });
}

t.test('as many redirects as allowed, and one more', async (t) => {
  const server = await httpServer(t, (response, { url }) => {
    const left = Number(url?.slice(1));
    answering(left > 0 ? 302 : 200, left > 0 ? { location: `/${left - 1}` } : {}, 'file')(response);
  });
  const fetcher = fetcherFor(t);
  t.strictSame(await fetcher.fetch(`${server.origin}/3`, 100), FILE);
  t.strictSame(await fetcher.fetch(`${server.origin}/4`, 100), failed('more than 3 redirects'));
});

const REFUSED: readonly (readonly [location: string, detail: string])[] = [
  ['file:///etc/passwd', 'is not an http or https URL'],
  ['ftp://127.0.0.2/', 'is not an http or https URL'],
  ['gopher://127.0.0.1:6379/_INFO', 'is not an http or https URL'],
  ['data:image/png;base64,AAAA', 'is not an http or https URL'],
  ['javascript:1', 'is not an http or https URL'],
  ['unix:/var/run/docker.sock', 'is not an http or https URL'],
  ['http://user@127.0.0.2/', 'has user info (a name or password before the host)'],
  ['https://user:secret@127.0.0.2/', 'has user info (a name or password before the host)'],
  ['//user@127.0.0.2/', 'has user info (a name or password before the host)'],
  ['http://', 'is not a valid URL'],
  ['http://127.0.0.2:99999/', 'is not a valid URL'],
  ['http://[::1', 'is not a valid URL'],
  ['http://256.0.0.1/', 'is not a valid URL'],
  [`/${'a'.repeat(8192)}`, 'is too long; a URL may have at most 8192 characters'],
];
for (const [location, words] of REFUSED) {
  t.test(`a redirect to ${location.slice(0, 40)} is not followed`, async (t) => {
    const server = await httpServer(t, answering(302, { location }));
    const answer = await fetcherFor(t).fetch(server.origin, 100);
    t.equal(answer.kind, 'not-allowed');
    t.match(answer, { detail: /^redirects to a URL that / });
    t.ok('detail' in answer && answer.detail.endsWith(words));
    t.equal(server.requests.length, 1);
  });
}

const FIRST: readonly (readonly [url: string, detail: string])[] = [
  ['file:///etc/passwd', 'is not an http or https URL'],
  ['ftp://127.0.0.2/', 'is not an http or https URL'],
  ['http://user@127.0.0.2/', 'has user info (a name or password before the host)'],
  ['http://127.0.0.2\\@127.0.0.1/', 'has user info (a name or password before the host)'],
  ['http:127.0.0.2', 'has no host'],
  ['http://127.0.0.2:99999/', 'is not a valid URL'],
];
for (const [url, detail] of FIRST) {
  t.test(`${url} is not fetched`, async (t) => {
    t.strictSame(await fetcherFor(t).fetch(url, 100), { kind: 'not-allowed', detail });
  });
}

t.test('a redirect that does not say where to, or twice', async (t) => {
  const server = await httpServer(t, (response, { url }) => {
    if (url === '/twice') response.setHeader('location', ['/', '/']);
    response.writeHead(302).end();
  });
  const expected = failed('the host answered 302 without saying where the file is');
  t.strictSame(await fetcherFor(t).fetch(server.origin, 100), expected);
  t.strictSame(await fetcherFor(t).fetch(`${server.origin}/twice`, 100), expected);
});

t.test('the second hop leads inside, by address and by name', async (t) => {
  const inside = await canary(t);
  const lookup = namesOf({ 'inside.test': ['127.0.0.1'], 'outside.test': [ALLOWED] });
  for (const host of ['127.0.0.1', '[::1]', 'inside.test', 'localhost']) {
    const server = await httpServer(t, (response, { url }) => {
      const location =
        url === '/2' ? `http://${host}:${inside.port}/` : `http://outside.test:${server.port}/2`;
      answering(302, { location })(response);
    });
    t.strictSame(await fetcherFor(t, { lookup }).fetch(server.origin, 100), NOT_PUBLIC, host);
    t.equal(server.requests.length, 2);
  }
  t.equal(inside.sockets.length, 0);
});

t.test('the body of a redirect is not waited for', async (t) => {
  const server = await httpServer(t, (response, { url }) => {
    if (url === '/next') response.end('file');
    else response.writeHead(302, { location: '/next' }).write('more to come');
  });
  t.strictSame(await fetcherFor(t).fetch(server.origin, 100), FILE);
  await letGo(server);
});
