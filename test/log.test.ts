/** The log holds the fields that it is meant to hold, whatever it is given. */

import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { Redis } from 'ioredis';
import t from 'tap';
import { request } from 'undici';
import type { Log } from '../src/gateway/log.js';
import { createLog } from '../src/telemetry/log.js';

type Line = Record<string, unknown> & { err: Record<string, unknown>; msg: string };

function logging(): { log: ReturnType<typeof createLog>; last: () => Line; text: () => string } {
  const lines: string[] = [];
  const log = createLog('trace', { write: (line: string) => void lines.push(line) });
  return { log, last: () => JSON.parse(lines.at(-1) ?? '{}') as Line, text: () => lines.join('') };
}

const SECRET = 'a-secret-0123456789';

t.test('a field that is not known does not compile, and is left out', async (t) => {
  const { log, last, text } = logging();
  const typed: Log = log;
  const more = { avatarId: 'av_1', headers: { authorization: SECRET } };
  // @ts-expect-error: no such field
  typed.info({ authorization: SECRET }, 'named');
  // @ts-expect-error: nor in a variable
  typed.warn(more, 'in a variable');
  // @ts-expect-error: nor by a spread
  typed.error({ ...more, status: 'queued' }, 'by a spread');
  t.equal(last().avatarId, 'av_1');
  t.equal(last().status, 'queued');
  for (const name of ['constructor', 'toString', '__proto__', 'msg', 'time'])
    log.info({ [name]: SECRET }, 'x');
  log.info({ busboyOptions: { headers: SECRET }, config: SECRET, toJSON: () => SECRET }, 'as a plugin does');
  t.notMatch(text(), SECRET);
  t.strictSame(Object.keys(last()).sort(), ['hostname', 'level', 'msg', 'name', 'pid', 'time']);
});

t.test('a field that has another shape is left out', async (t) => {
  const { log, last } = logging();
  const odd = { toString: () => SECRET, secret: SECRET };
  for (const name of ['avatarId', 'attempt', 'ok', 'hazards', 'status', 'err', 'reason']) {
    log.info({ [name]: odd }, 'x');
    t.notOk(name in last(), name);
  }
  log.info({ ok: false, attempt: 0, status: null, hazards: ['a', odd] }, 'x');
  t.match(last(), { ok: false, attempt: 0, status: null, hazards: ['a', null] });
});

t.test('[E18] what a line costs grows with its length and no faster', async (t) => {
  const { log } = logging();
  const costOf = (text: string) => {
    const began = process.cpuUsage();
    for (let i = 0; i < 100; i++) log.warn({ reason: text }, 'x');
    return process.cpuUsage(began).user;
  };
  for (const hard of [
    '/'.repeat(1_990),
    `${'/'.repeat(1_990)} ?`,
    '/a'.repeat(995),
    '//'.repeat(990).concat('@'),
  ]) {
    costOf(hard);
    // Where each slash is a beginning that is searched from, it is some hundred times as much.
    const words = Math.max(5_000, costOf('é'.repeat(hard.length)));
    t.ok(costOf(hard) < 10 * words, hard.slice(0, 10));
  }
});

t.test('words from outside are one line, not for ever, without passwords and queries', async (t) => {
  const { log, last } = logging();
  log.warn({ reason: `line\r\n{"level":60}\u001b[31m\u202e ${'x'.repeat(100_000)}` }, 'x');
  const { reason } = last() as unknown as { reason: string };
  t.match(reason, /^line \{"level":60\} \[31m +x+…$/);
  t.equal(reason.length, 500);

  const texts: readonly (readonly [string, string])[] = [
    [`connect redis://:${SECRET}@10.0.0.1:6379/0 failed`, 'connect redis://10.0.0.1:6379/0 failed'],
    [`http://user:${SECRET}@host/path`, 'http://host/path'],
    [`GET https://cdn.test/a.mp4?sig=${SECRET} "x"`, 'GET https://cdn.test/a.mp4?… "x"'],
    [`Route GET:/avatars?key=${SECRET} not found`, 'Route GET:/avatars?… not found'],
    ['is it on/off? yes', 'is it on/off? yes'],
  ];
  for (const [given, logged] of texts) {
    log.warn({ reason: given, err: new Error(given) }, given);
    t.match(last(), { reason: logged, msg: logged, err: { message: logged } });
  }
});

t.test('of an error its name, message, code, frames and causes, and nothing that hangs on it', async (t) => {
  const { log, last } = logging();
  const root = Object.assign(new TypeError('root'), { input: SECRET, code: 'ERR_INVALID_URL' });
  const failure = Object.assign(new Error(`first\n    at second (${SECRET})`, { cause: root }), {
    command: { name: 'set', args: [SECRET] },
    headers: { authorization: SECRET },
    toJSON: () => SECRET,
  });
  log.error({ err: failure }, 'x');
  const { err } = last();
  t.strictSame(Object.keys(err), ['name', 'message', 'stack', 'cause']);
  t.match(
    err,
    { name: 'Error', message: `first     at second (${SECRET})` },
    'what it says of itself is kept',
  );
  t.match(err.stack, /^ {4}at .*log\.test\.ts/);
  t.notMatch(err.stack, SECRET);
  t.match(err.cause, { name: 'TypeError', message: 'root', code: 'ERR_INVALID_URL' });
  t.notMatch(JSON.stringify(err.cause), SECRET);

  log.error(failure);
  t.strictSame(last().err, err, 'an error alone is no way around it');

  const loop = new Error('around');
  loop.cause = loop;
  log.error({ err: loop }, 'x');
  t.equal(JSON.stringify(last()).split('"around"').length - 1, 5, 'five deep');

  for (const thrown of [{ secret: SECRET }, [SECRET], null, undefined, 7]) {
    log.error({ err: thrown }, 'x');
    t.notMatch(JSON.stringify(last()), SECRET);
  }
  log.error({ err: 'thrown\nwords' }, 'x');
  t.strictSame(last().err, { message: 'thrown words' });
});

t.test('errors of the drivers', async (t) => {
  const { log, text } = logging();
  const server = createServer((socket) => {
    socket.on('data', () => socket.end('-ERR not so\r\n')).on('error', () => {});
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  const { port } = server.address() as AddressInfo;
  const headers = { authorization: `Bearer ${SECRET}` };
  const failed = await request(`http://127.0.0.1:${port}/?sig=${SECRET}`, { headers }).catch(
    (e: unknown) => e,
  );
  log.error({ err: failed }, 'undici');

  const redis = new Redis({ port, host: '127.0.0.1', enableReadyCheck: false, maxRetriesPerRequest: 0 });
  redis.on('error', (error) => log.error({ err: error }, 'ioredis'));
  log.error({ err: await redis.set('key', SECRET).catch((e: unknown) => e) }, 'a command');
  redis.disconnect();

  log.error({ err: await fetch(`http://:${SECRET}@host`).catch((e: unknown) => e) }, 'fetch');
  for (const message of ['undici', 'a command', 'fetch']) t.match(text(), `"msg":"${message}"`);
  t.notMatch(text(), SECRET);
});

t.test('a request is its method, path, route and address; an answer its status', async (t) => {
  const { log, last } = logging();
  const req = {
    method: 'GET',
    url: `/avatars/av_1?key=${SECRET}`,
    ip: '10.0.0.7',
    headers: { authorization: SECRET },
    body: SECRET,
    routeOptions: { url: '/avatars/:id' },
  };
  log.info({ req, res: { statusCode: 200, headers: SECRET }, responseTime: 1.5 }, 'request completed');
  const { req: asked, res: answered, responseTime } = last();
  t.strictSame(asked, {
    method: 'GET',
    path: '/avatars/av_1',
    route: '/avatars/:id',
    remoteAddress: '10.0.0.7',
  });
  t.strictSame(answered, { statusCode: 200 });
  t.equal(responseTime, 1.5);
});
