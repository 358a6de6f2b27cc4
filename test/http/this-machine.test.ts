/** Where no key is asked for, programs are served, and not what a page or a proxy from elsewhere has them do. */

import t from 'tap';
import { ProblemError } from '../../src/problems.js';
import { serverFor } from '../support/server.js';

const read = () => Promise.reject(new ProblemError('not-found', 'It was looked for.'));

/** Serves its machine alone, or whoever reaches it. */
const keyless = (isLocal: boolean, allowedHosts: readonly string[] = [], publicUrl: string | null = null) =>
  serverFor(t, { read }, undefined, {
    auth: { callers: null, keyless: { isLocal, allowedHosts, publicUrl } },
    publicUrl,
  });
const server = await keyless(true);
const open = await keyless(false);

interface Case {
  readonly from?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

const host = 'localhost:80';
const HERE: Readonly<Record<string, Case>> = {
  'a program here': {},
  'over IPv6': { from: '::1', headers: { host: '[::1]:8080' } },
  'over IPv4 in IPv6': { from: '::ffff:127.0.0.1' },
  'another loopback address': { from: '127.8.9.1', headers: { host: '127.8.9.1' } },
  'a page of its own': { headers: { host, origin: 'http://localhost', 'sec-fetch-site': 'same-origin' } },
  'a person who typed the address': { headers: { host, 'sec-fetch-site': 'none' } },
  'a proxy that hands on what came from here': {
    headers: {
      'x-forwarded-for': '127.0.0.1, ::1',
      'x-real-ip': '127.0.0.1',
      forwarded: 'for="[::1]:4711";proto=http, for=127.0.0.1:80',
    },
  },
};

/** `isOpen`: it is fine where whoever reaches the port is served. */
const ELSEWHERE: Readonly<Record<string, Case & { readonly why: RegExp; readonly isOpen?: true }>> = {
  'another machine': { from: '10.0.0.7', why: /from another address/, isOpen: true },
  'another machine over IPv6': { from: '2001:db8::7', why: /from another address/, isOpen: true },
  'another machine that says it is none': {
    from: '10.0.0.7',
    headers: { 'x-forwarded-for': '127.0.0.1' },
    why: /from another address/,
    isOpen: true,
  },
  'a name that leads here': { headers: { host: 'evil.example' }, why: /`Host`/ },
  'a name that begins like ours': { headers: { host: 'localhost.evil.example:8080' }, why: /`Host`/ },
  'a name that begins like our address': { headers: { host: '127.0.0.1.evil.example' }, why: /`Host`/ },
  'a Host that is none': { headers: { host: 'a b' }, why: /`Host`/ },
  'a page elsewhere': { headers: { host, origin: 'https://evil.example' }, why: /another origin/ },
  'a page on another port': { headers: { host, origin: 'http://localhost:3000' }, why: /another origin/ },
  'a page that hides its origin': { headers: { host, origin: 'null' }, why: /another origin/ },
  'a page elsewhere without an Origin': {
    headers: { host, 'sec-fetch-site': 'cross-site' },
    why: /another origin/,
  },
  'a page on a neighbouring site': {
    headers: { host, 'sec-fetch-site': 'same-site' },
    why: /another origin/,
  },
  'X-Forwarded-For': { headers: { 'x-forwarded-for': '203.0.113.7' }, why: /passed on/, isOpen: true },
  'X-Forwarded-For that begins here': {
    headers: { 'x-forwarded-for': '127.0.0.1, 203.0.113.7' },
    why: /passed on/,
    isOpen: true,
  },
  'X-Forwarded-For that cannot be read': {
    headers: { 'x-forwarded-for': 'unknown' },
    why: /passed on/,
    isOpen: true,
  },
  ...Object.fromEntries(
    ['Via', 'CF-Connecting-IP', 'True-Client-IP', 'X-Client-IP', 'Fly-Client-IP', 'Fastly-Client-IP'].map(
      (name) => [name, { headers: { [name.toLowerCase()]: '203.0.113.7' }, why: /passed on/, isOpen: true }],
    ),
  ),
  'X-Real-IP': { headers: { 'x-real-ip': '203.0.113.7' }, why: /passed on/, isOpen: true },
  Forwarded: {
    headers: { forwarded: 'for="[2001:db8::7]:80";by=127.0.0.1' },
    why: /passed on/,
    isOpen: true,
  },
  'Forwarded by two': {
    headers: { forwarded: 'for=127.0.0.1, FOR = _hidden' },
    why: /passed on/,
    isOpen: true,
  },
};

const ask = ({ from = '127.0.0.1', headers = {} }: Case, to = server, url = '/avatars/av_1') =>
  to.inject({ url, remoteAddress: from, headers });

for (const [name, each] of Object.entries(HERE)) {
  t.test(name, async (t) => {
    t.match((await ask(each)).json(), { detail: 'It was looked for.' });
  });
}

for (const [name, { why, isOpen = false, ...each }] of Object.entries(ELSEWHERE)) {
  t.test(`[E1] [F65] ${name}`, async (t) => {
    const type = 'urn:avatar-gateway:problem:forbidden';
    const answer = await ask(each);
    t.equal(answer.statusCode, 403);
    t.match(answer.json(), { type, detail: /serves its own machine alone/ });
    t.match(answer.json(), { detail: why });
    const anyone = await ask(each, open);
    if (isOpen) t.match(anyone.json(), { detail: 'It was looked for.' }, 'unless anyone may call');
    else t.match(anyone.json(), { type, status: 403, detail: why }, 'nor where anyone may call');
    t.equal((await ask(each, server, '/livez')).statusCode, 200, 'what is open is open');
    t.match((await ask(each, server, '/api/v1/tasks/av_1')).json(), {
      code: 403,
      message: /^Permission denied: /,
    });
  });
}

t.test('[E1] a page elsewhere makes nothing, and nothing is read of what it sends', async (t) => {
  const headers = {
    host: '127.0.0.1:8080',
    origin: 'https://evil.example',
    'sec-fetch-site': 'cross-site',
    'content-type': 'multipart/form-data; boundary=x',
  };
  for (const to of [server, open]) {
    const answer = await to.inject({ method: 'POST', url: '/avatars', headers, payload: 'no form' });
    t.match(answer.json(), { status: 403, detail: /another origin/ });
  }
});

t.test('[E1] names that lead to a gateway which serves anyone', async (t) => {
  const listed = await keyless(
    false,
    ['avatars.corp.example', '.apps.example'],
    'https://Gateway.Example:8443/gw',
  );
  const any = await keyless(false, ['*']);
  const status = async (to: typeof open, host: string) =>
    (await ask({ from: '10.0.0.7', headers: { host } }, to)).statusCode;
  const ours = [
    'avatar-gateway:8080',
    '10.1.2.3:8080',
    '[fd00::7]',
    'gateway.local',
    'avatar-gateway.prod.svc',
    'LOCALHOST',
  ];
  for (const host of [...ours, 'avatar-gateway.prod.svc.cluster.local:8080', 'host.docker.internal']) {
    for (const to of [open, listed, any]) t.equal(await status(to, host), 404, host);
  }
  for (const host of [
    'avatars.corp.example',
    'gateway.example:8443',
    'GATEWAY.example',
    'a.b.apps.example:80',
    'apps.example',
  ]) {
    t.equal(await status(listed, host), 404, host);
    t.equal(await status(open, host), 403, host);
  }
  for (const host of [
    'avatars.corp.example.evil.example',
    'evilapps.example',
    'x.avatars.corp.example',
    'local.evil.example',
    '..',
  ]) {
    t.equal(await status(listed, host), 403, host);
  }
  t.equal(await status(any, 'evil.example'), 404, 'if an operator wants it so');
});

t.test(
  '[E1] a page of the gateway itself, through a proxy that ends TLS or sends another Host',
  async (t) => {
    const behind = await keyless(false, [], 'https://avatars.example/gw');
    const own: Record<string, Record<string, string>> = {
      'the browser vouches': {
        host: 'gateway:8080',
        origin: 'https://avatars.example',
        'sec-fetch-site': 'same-origin',
      },
      'a form of a page without a referrer': {
        host: 'gateway:8080',
        origin: 'null',
        'sec-fetch-site': 'same-origin',
      },
      'plain http, the Host passed on': { host: 'avatars.example', origin: 'https://avatars.example' },
      'plain http, another Host': { host: 'gateway:8080', origin: 'https://avatars.example' },
    };
    for (const [name, headers] of Object.entries(own)) {
      t.match((await ask({ headers }, behind)).json(), { detail: 'It was looked for.' }, name);
    }
    const foreign = { host: 'gateway:8080', origin: 'https://avatars.example:8443' };
    t.equal((await ask({ headers: foreign }, behind)).statusCode, 403, 'another port is another origin');
  },
);

t.test('names that an operator lists are taken of this machine, too', async (t) => {
  const local = await keyless(true, ['gateway.test'], 'https://avatars.example');
  t.equal((await ask({ headers: { host: 'gateway.test:8080' } }, local)).statusCode, 404);
  for (const host of ['avatars.example', 'gateway', '10.0.0.7']) {
    t.equal((await ask({ headers: { host } }, local)).statusCode, 403, host);
  }
});
