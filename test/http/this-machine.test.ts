/** Without callers the gateway serves programs on its machine, and not what others have them do. */

import t from 'tap';
import { ProblemError } from '../../src/problems.js';
import { serverFor } from '../support/server.js';

const read = () => Promise.reject(new ProblemError('not-found', 'It was looked for.'));
const doors = { callers: null, servesAnyone: false };
const server = await serverFor(t, { read }, undefined, { doors });
const open = await serverFor(t, { read }, undefined, { doors: { ...doors, servesAnyone: true } });

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

const ELSEWHERE: Readonly<Record<string, Case & { readonly why: RegExp }>> = {
  'another machine': { from: '10.0.0.7', why: /from another address/ },
  'another machine over IPv6': { from: '2001:db8::7', why: /from another address/ },
  'another machine that says it is none': {
    from: '10.0.0.7',
    headers: { 'x-forwarded-for': '127.0.0.1' },
    why: /from another address/,
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
  'X-Forwarded-For': { headers: { 'x-forwarded-for': '203.0.113.7' }, why: /passed on/ },
  'X-Forwarded-For that begins here': {
    headers: { 'x-forwarded-for': '127.0.0.1, 203.0.113.7' },
    why: /passed on/,
  },
  'X-Forwarded-For that cannot be read': { headers: { 'x-forwarded-for': 'unknown' }, why: /passed on/ },
  'X-Real-IP': { headers: { 'x-real-ip': '203.0.113.7' }, why: /passed on/ },
  Forwarded: { headers: { forwarded: 'for="[2001:db8::7]:80";by=127.0.0.1' }, why: /passed on/ },
  'Forwarded by two': { headers: { forwarded: 'for=127.0.0.1, FOR = _hidden' }, why: /passed on/ },
};

const ask = ({ from = '127.0.0.1', headers = {} }: Case, to = server, url = '/avatars/av_1') =>
  to.inject({ url, remoteAddress: from, headers });

for (const [name, each] of Object.entries(HERE)) {
  t.test(name, async (t) => {
    t.match((await ask(each)).json(), { detail: 'It was looked for.' });
  });
}

for (const [name, { why, ...each }] of Object.entries(ELSEWHERE)) {
  t.test(name, async (t) => {
    const answer = await ask(each);
    t.equal(answer.statusCode, 403);
    const type = 'urn:avatar-gateway:problem:forbidden';
    t.match(answer.json(), { type, detail: /serves its own machine alone/ });
    t.match(answer.json(), { detail: why });
    t.match((await ask(each, open)).json(), { detail: 'It was looked for.' }, 'unless anyone may call');
    t.equal((await ask(each, server, '/livez')).statusCode, 200, 'what is open is open');
    t.match((await ask(each, server, '/api/v1/tasks/av_1')).json(), {
      code: 403,
      message: /^Permission denied: /,
    });
  });
}
