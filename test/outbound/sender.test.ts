/** Messages to receivers: what goes out, what is made of the answer, and where nothing goes. */

import { Webhook } from 'standardwebhooks';
import t, { type Test } from 'tap';
import { parseNetworks } from '../../src/outbound/addresses.js';
import {
  type CallbackSender,
  type CallbackSenderOptions,
  createCallbackSender,
} from '../../src/outbound/sender.js';
import { ALLOWED, answering, canary, httpServer, letGo, listen, namesOf, rawServer } from './support.js';

const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
const NOT_PUBLIC = 'leads to an address that is not on the public internet';

/** A sender that may call {@link ALLOWED} and looks up no name unless told how. */
function senderFor(t: Test, options: Partial<CallbackSenderOptions> = {}): CallbackSender {
  const sender = createCallbackSender({
    timeoutMs: 20_000,
    allowedNetworks: parseNetworks(`${ALLOWED}/32`),
    userAgent: 'avatar-gateway/test',
    lookup: namesOf({}),
    ...options,
  });
  t.teardown(() => sender.close());
  return sender;
}

const messageTo = (url: string) => ({
  url,
  id: 'av_1_1',
  at: Date.now(),
  body: '{"type":"avatar.failed"}',
  secrets: [SECRET],
});

t.test('one POST, signed, and nothing else of ours', async (t) => {
  const bodies: string[] = [];
  const server = await httpServer(t, (response, request) => {
    request.on('data', (chunk: Buffer) => bodies.push(String(chunk)));
    request.on('end', () => response.writeHead(204).end());
  });
  const message = messageTo(`${server.origin}/hook?token=x#part`);
  const answer = await senderFor(t).send(message);
  t.match(answer, { status: 204, error: null, retryAfterMs: null });
  t.ok(Number.isInteger(answer.latencyMs) && answer.latencyMs >= 0);
  const [request] = server.requests;
  t.match(request, { method: 'POST', url: '/hook?token=x' });
  const { host, 'webhook-signature': signature, ...headers } = request?.headers ?? {};
  t.equal(host, `${server.host}:${server.port}`);
  t.strictSame(headers, {
    'content-type': 'application/json',
    'content-length': String(message.body.length),
    'user-agent': 'avatar-gateway/test',
    'webhook-id': 'av_1_1',
    'webhook-timestamp': String(Math.floor(message.at / 1000)),
    connection: 'close',
  });
  t.same(bodies, [message.body]);
  const sent = {
    'webhook-id': String(headers['webhook-id']),
    'webhook-timestamp': String(headers['webhook-timestamp']),
    'webhook-signature': String(signature),
  };
  t.same(new Webhook(SECRET).verify(message.body, sent), { type: 'avatar.failed' });
  await senderFor(t).send(message);
  t.equal(server.sockets.length, 2, 'a connection of its own each');
});

t.test('whatever status there is, and no redirect followed', async (t) => {
  const elsewhere = await httpServer(t, answering(200));
  const sender = senderFor(t);
  for (const status of [200, 302, 307, 308, 404, 410, 500]) {
    const server = await httpServer(t, answering(status, { location: elsewhere.origin }, 'a body'));
    t.match(await sender.send(messageTo(server.origin)), { status, error: null });
    t.equal(server.requests.length, 1);
  }
  t.equal(elsewhere.requests.length, 0);
});

t.test('Retry-After', async (t) => {
  const sender = senderFor(t);
  const date = 'Wed, 25 Nov 2026 10:00:00 GMT';
  const later = 'Wed, 25 Nov 2026 10:02:00 GMT';
  for (const [headers, retryAfterMs] of [
    [{ 'retry-after': '120' }, 120_000],
    [{ 'retry-after': later, date }, 120_000],
    [{ 'retry-after': 'soon' }, null],
    [{}, null],
  ] as const) {
    const server = await httpServer(t, answering(503, { ...headers }));
    t.match(await sender.send(messageTo(server.origin)), { status: 503, retryAfterMs });
  }
});

t.test('a body that never ends is cut off: the head is the answer', async (t) => {
  const endless = await rawServer(t, (socket) => {
    socket.write('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n');
    const pour = () => {
      while (socket.writable && socket.write(`4000\r\n${'a'.repeat(0x4000)}\r\n`));
    };
    socket.on('drain', pour);
    pour();
  });
  const silent = await rawServer(t, (socket) => {
    socket.write('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nthe beginning');
  });
  const huge = await rawServer(t, (socket) => {
    socket.write('HTTP/1.1 200 OK\r\ncontent-length: 99999999999\r\n\r\nthe beginning');
  });
  const reset = await rawServer(t, (socket) => {
    socket.write('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nthe beginning', () =>
      socket.resetAndDestroy(),
    );
  });
  // The time-out is far away: it is not what cuts them off.
  const sender = senderFor(t, { timeoutMs: 3_600_000 });
  for (const server of [endless, silent, huge, reset]) {
    t.match(await sender.send(messageTo(server.origin)), { status: 200, error: null });
    await letGo(server);
  }
});

t.test('no head in time', async (t) => {
  const heads = ['', 'HTTP/1.1 200 OK\r\nx: ', 'HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n'];
  for (const head of heads) {
    const server = await rawServer(t, (socket) => void socket.write(head));
    const sender = senderFor(t, { timeoutMs: 100 });
    t.match(await sender.send(messageTo(server.origin)), { status: null, error: 'no answer within 0.1 s' });
    await letGo(server);
  }
  const never = senderFor(t, { timeoutMs: 50, lookup: () => new Promise(() => {}) });
  t.match(await never.send(messageTo('http://slow.test/')), {
    status: null,
    error: 'no answer within 0.05 s',
  });
});

t.test('what goes wrong, in words that name no address', async (t) => {
  const sender = senderFor(t);
  const closed = await httpServer(t, answering(200));
  const gone = await rawServer(t, (socket) => socket.resetAndDestroy());
  const odd = await rawServer(t, (socket) => void socket.end('SMTP ready\r\n\r\n'));
  const long = await rawServer(t, (socket) => {
    socket.end(`HTTP/1.1 200 OK\r\nx: ${'a'.repeat(200_000)}\r\n\r\n`);
  });
  for (const [url, error] of [
    [`http://${ALLOWED}:1/`, 'connection refused'],
    [gone.origin, 'connection reset'],
    [odd.origin, 'the answer is no valid HTTP, or was cut short'],
    [long.origin, "the answer's head is too large"],
    ['http://unknown.test/', 'host name not found'],
    [closed.origin.replace('http:', 'https:'), /^the connection failed \(/],
  ] as const) {
    t.match(await sender.send(messageTo(url)), { status: null, error, retryAfterMs: null }, url);
  }
});

t.test('nothing inside is called, however it is spelled', async (t) => {
  const inside = await canary(t);
  const sender = senderFor(t, {
    lookup: namesOf({ 'inside.test': ['127.0.0.1'], 'mixed.test': [ALLOWED, '::1'] }),
  });
  const hosts = [
    '127.0.0.1',
    '0x7f000001',
    '2130706433',
    '127.1',
    '0177.0.0.1',
    '[::1]',
    '[::ffff:127.0.0.1]',
  ];
  hosts.push('[::ffff:7f00:1]', '0.0.0.0', '[::]', 'localhost', 'LOCALHOST', 'a.localhost', 'localhost.');
  hosts.push(
    'inside.test',
    'mixed.test',
    '169.254.169.254',
    '10.0.0.1',
    '[fe80::1]',
    '[fd00::1]',
    '127.0.0.1.',
  );
  for (const host of hosts) {
    const url = `http://${host}:${inside.port}/`;
    t.equal(await sender.refusal(url), NOT_PUBLIC, `${host} is refused`);
    t.match(await sender.send(messageTo(url)), { status: null, error: NOT_PUBLIC }, `${host} is not called`);
  }
  t.equal(inside.sockets.length, 0);
});

t.test('what may be called', async (t) => {
  const lookup = namesOf({ 'public.test': ['93.184.215.14', '2606:2800:21f:cb07:6820:80da:af6b:8b2c'] });
  const sender = senderFor(t, { lookup });
  const urls = [
    'http://93.184.215.14/',
    'https://[2606:2800:21f:cb07:6820:80da:af6b:8b2c]:8443/x',
    `http://${ALLOWED}/`,
  ];
  for (const url of [...urls, 'https://public.test/hook']) t.equal(await sender.refusal(url), null, url);
});

t.test('a look-up that says nothing soon is let by', async (t) => {
  const unanswered = senderFor(t, { lookup: () => new Promise(() => {}) });
  t.equal(await unanswered.refusal('https://slow.test/'), null);
  t.equal(await senderFor(t).refusal('https://unknown.test/'), null, 'and so is one that finds nothing');
});

for (const inside of ['127.0.0.1', '::1', '::ffff:127.0.0.1', '169.254.169.254']) {
  t.test(`a name that means ${inside} once it has been let by`, async (t) => {
    const fine = await httpServer(t, answering(204));
    const secret = await listen(t, (await import('node:http')).createServer(), '127.0.0.1', fine.port);
    const addresses = [ALLOWED, ALLOWED, inside];
    let looks = 0;
    const sender = senderFor(t, {
      lookup: async () => {
        const address = addresses[looks++] ?? inside;
        return [{ address, family: address.includes(':') ? 6 : 4 }];
      },
    });
    const url = `http://rebind.test:${fine.port}/`;
    t.equal(await sender.refusal(url), null);
    t.match(await sender.send(messageTo(url)), { status: 204 });
    t.match(await sender.send(messageTo(url)), { status: null, error: NOT_PUBLIC });
    t.equal(looks, 3, 'one look-up for each connection');
    t.same([fine.sockets.length, secret.sockets.length], [1, 0]);
  });
}

t.test('closing cuts off what is under way', async (t) => {
  const server = await rawServer(t, () => {});
  const sender = senderFor(t);
  const sending = sender.send(messageTo(server.origin));
  while (server.sockets.length === 0) await new Promise(setImmediate);
  await sender.close();
  t.match(await sending, { status: null, error: 'the gateway is shutting down' });
  t.match(await sender.send(messageTo(server.origin)), {
    status: null,
    error: 'the gateway is shutting down',
  });
  t.equal(server.sockets.length, 1);
  await sender.close();
});
