/** What commands end with, and what they say then. */

import { writeFile } from 'node:fs/promises';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { FILES, folder, PORTRAIT, ran, start } from './support.js';

/** A gateway that answers as it is told to. */
async function stub(t: Test, answer: RequestListener): Promise<string> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => void server.close().closeAllConnections());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Where nobody listens: the port was given back. */
async function nobody(): Promise<string> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return `http://127.0.0.1:${port}`;
}

const SECRET = 'sk-do-not-show-me';

t.test('what is wrong with the arguments: 2, and which one', async (t) => {
  const dir = await folder(t);
  await writeFile(join(dir, 'empty'), '\n');
  await writeFile(join(dir, 'two'), `${SECRET}\n${SECRET}\n`);
  const wrong: readonly [args: string[], line: RegExp, env?: Record<string, string>][] = [
    [['nonsense'], /unknown command 'nonsense'/],
    [['list', '--nonsense'], /unknown option '--nonsense'/],
    [['list', 'more'], /too many arguments/],
    [['list', '--limit', '0'], /--limit <count>.*above 0/],
    [['get'], /missing required argument 'id'/],
    [['get', '../list'], /Not the id of an avatar/],
    [['watch', 'av_1', '--timeout', 'long'], /--timeout <seconds>.*Not a number of seconds/],
    [['list', '--request-timeout', '0'], /--request-timeout <seconds>.*Not a number of seconds/],
    [['create', '--audio', 'b.mp3'], /--image <file\|url>' not specified/],
    [['create', '--image', PORTRAIT], /--audio or --audio-id is needed/],
    [
      ['create', ...FILES, '--audio-id', 'a'],
      /'--audio <file\|url>' cannot be used with .*'--audio-id <id>'/,
    ],
    [['create', ...FILES, '--no-wait', '--out', 'v.mp4'], /'--no-wait' cannot be used with .*'--out <file>'/],
    [['create', ...FILES, '--metadata', 'red'], /--metadata <name=value\.\.\.>.*Not name=value/],
    [['create', ...FILES, '--mode', 'best'], /--mode <mode>.*std, pro/],
    [['list', '--url', 'gateway.test'], /--url is not where a gateway can be/],
    [
      ['list'],
      /AVATAR_GATEWAY_URL is not where/,
      { AVATAR_GATEWAY_URL: `http://user:${SECRET}@gateway.test` },
    ],
    [['list', '--key-file', join(dir, 'no')], /--key-file .*no cannot be read \(ENOENT\)/],
    [['list', '--key-file', join(dir, 'empty')], /--key-file .*empty holds no key/],
    [['list', '--key-file', join(dir, 'two')], /--key-file .*two holds no key/],
    [['list'], /AVATAR_GATEWAY_KEY holds no key/, { AVATAR_GATEWAY_KEY: `${SECRET} ${SECRET}` }],
  ];
  for (const [args, line, env] of wrong) {
    const { code, stdout, stderr } = await ran('http://127.0.0.1:1', args, env && { env });
    t.equal(code, 2, args.join(' '));
    t.match(stderr, new RegExp(`^avatar-gateway: .*${line.source}`));
    t.equal(stdout, '');
    t.notMatch(stderr, SECRET);
  }
});

t.test('help: 0, on stdout', async (t) => {
  const { code, stdout, stderr } = await ran('', ['create', '--help']);
  t.match({ code, stderr }, { code: 0, stderr: '' });
  for (const option of ['--image', '--audio', '--out', '--key-file']) t.match(stdout, ` ${option} <`);
  t.match(await ran('', ['help']), { code: 0, stdout: / 130 +interrupted\n/ });
});

t.test('[E21] nobody there: 3, and nothing was made', async (t) => {
  const url = await nobody();
  const commands = await Promise.all([
    ran(url, ['list']),
    ran(url, ['watch', 'av_1', '--timeout', '600']),
    ran(url, ['watch']),
    ran(url, ['create', ...FILES, '--idempotency-key', 'order-17']),
  ]);
  for (const each of commands) {
    t.match(each, {
      code: 3,
      stdout: '',
      stderr: /^(avatar {2}sending\n)?avatar-gateway: No answer from the gateway: .*ECONNREFUSED.*\n$/,
    });
  }
});

t.test('no answer: 3, and how to go on without paying twice', async (t) => {
  const url = await stub(t, (_request, response) => response.destroy());
  t.match(await ran(url, ['create', ...FILES, '--idempotency-key', 'order-17']), {
    code: 3,
    stderr: /\nAn avatar may have been made\. .*run the same again with --idempotency-key order-17\n$/,
  });
});

t.test('[E21] a redirect: 3, at once, and where it leads', async (t) => {
  let requests = 0;
  const url = await stub(t, ({ url }, response) => {
    requests += 1;
    response.writeHead(301, { location: `https://gw.test${url}` }).end();
  });
  for (const args of [['create', ...FILES, '--quiet'], ['list'], ['get', 'av_1'], ['watch']]) {
    const { code, stdout, stderr } = await ran(url, args);
    t.match({ code, stdout }, { code: 3, stdout: '' });
    t.match(
      stderr,
      /^avatar-gateway: The answer was 301, .*; use https:\/\/gw\.test as the gateway's address\n$/,
    );
  }
  t.equal(requests, 4);
});

t.test('[E12] --request-timeout: how long an answer may take, beside the upload', async (t) => {
  const url = await stub(t, (request, response) => {
    request.resume();
    setTimeout(() => response.writeHead(401).end(), 1_000);
  });
  const limit = ['--request-timeout', '0.2'];
  t.match(await ran(url, ['list', ...limit]), { code: 3, stderr: /none within 200 ms\n$/ });
  t.match(await ran(url, ['create', ...FILES, ...limit, '--quiet']), {
    code: 1,
    stderr: /The answer was 401\n$/,
  });
  t.match(await ran(url, ['list', '--request-timeout', '9']), { code: 1, stderr: /The answer was 401\n$/ });
});

t.test('the gateway fails: 3, in its words, whatever is in them', async (t) => {
  const url = await stub(t, (_request, response) => {
    response.writeHead(503, { 'content-type': 'application/problem+json', 'x-request-id': 'r-1' });
    response.end(
      JSON.stringify({
        type: 'urn:avatar-gateway:problem:not-ready',
        title: 'Not now',
        status: 503,
        detail: 'a\x1b[2Jb',
        instance: '/',
        request_id: 'r-1',
      }),
    );
  });
  t.strictSame(await ran(url, ['list']), {
    ...{ code: 3, stdout: '' },
    stderr: 'avatar-gateway: Not now (503): a\\u001b[2Jb\n  request r-1\n',
  });
});

t.test('interrupted while it is sent: 130, and how to go on', async (t) => {
  let arrived = (): void => undefined;
  const here = new Promise<void>((resolve) => {
    arrived = resolve;
  });
  const command = start(await stub(t, arrived), ['create', ...FILES, '--quiet']);
  await here;
  command.interrupt();
  t.equal(await command.code, 130);
  t.match(command.stderr.text, /^avatar-gateway: .* --idempotency-key [\da-f-]{36}\n$/);
});

t.test('the key goes to the gateway, and is shown nowhere', async (t) => {
  const seen: (string | undefined)[] = [];
  const url = await stub(t, ({ headers }, response) => {
    seen.push(headers.authorization);
    response.writeHead(401).end();
  });
  const file = join(await folder(t), 'key');
  await writeFile(file, `${SECRET}-file\n`);
  const env = { AVATAR_GATEWAY_KEY: SECRET };
  const answers = [await ran(url, ['list'], { env }), await ran(url, ['list', '--key-file', file], { env })];
  t.strictSame(seen, [`Bearer ${SECRET}`, `Bearer ${SECRET}-file`]);
  for (const { code, stderr } of answers) {
    t.equal(code, 1);
    t.equal(stderr, 'avatar-gateway: The answer was 401\n');
  }
});
