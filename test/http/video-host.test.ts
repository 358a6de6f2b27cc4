/** The host of a video that is a stranger's, or misbehaves as the simulator does not. */

import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import t, { type Test } from 'tap';
import { parseNetworks } from '../../src/outbound/addresses.js';
import { DEFAULT_KEY } from '../simulator/simulator.js';
import { startApp } from '../support/app.js';
import { isVideoProblem, succeeded } from '../support/video.js';

const LOOPBACK = parseNetworks('127.0.0.0/8');

/** An avatar whose video is at a host of the test's own. */
async function hosted(
  t: Test,
  answer: (request: IncomingMessage, response: ServerResponse) => void,
  path = '/v.mp4',
) {
  const host = createServer(answer);
  t.teardown(() => {
    host.closeAllConnections();
    host.close();
  });
  await once(host.listen(0, '127.0.0.1'), 'listening');
  const { port } = host.address() as AddressInfo;
  const app = await startApp(t, { modellix: { videoTimeoutMs: 500 }, videos: { allowedNetworks: LOOPBACK } });
  const resources = [{ type: 'video', role: 'primary', url: `http://127.0.0.1:${port}${path}` }];
  app.simulator.inject({ on: 'query', probability: 1, do: { patch: { data: { result: { resources } } } } });
  return { app, host, port, video: await succeeded(app) };
}

t.test('a host that sends the head of an answer and nothing more', async (t) => {
  const ends: Record<string, (response: ServerResponse) => void> = {
    resets: (response) => response.socket?.resetAndDestroy(),
    'falls silent': () => {},
  };
  let end: (response: ServerResponse) => void = () => {};
  const { video, app } = await hosted(t, (_request, response) => {
    response.writeHead(200, { 'content-type': 'video/mp4', 'content-length': 1000, etag: '"e"' });
    response.flushHeaders();
    end(response);
  });
  for (const [name, how] of Object.entries(ends)) {
    end = how;
    const response = await fetch(video);
    t.equal(response.headers.get('etag'), null);
    const { detail } = await isVideoProblem(t, response, 502, 'video-unavailable');
    t.equal(detail, 'The host of the video broke off.', name);
  }
  const levels = app.logLines().map((line) => (JSON.parse(line) as { level: number }).level);
  t.equal(levels.filter((level) => level === 50).length, 2, 'each stands in the log');
});

t.test('what goes to the host, and what comes from it', async (t) => {
  const seen: IncomingMessage[] = [];
  const { video, port } = await hosted(
    t,
    (request, response) => {
      seen.push(request);
      response.writeHead(206, {
        'content-type': 'video/webm',
        'content-range': 'bytes 0-2/3',
        'set-cookie': 'a=b',
        'x-secret': 'c',
        server: 'host',
      });
      response.end('abc');
    },
    '/vidéo.mp4?sig=%2B+ü',
  );
  const response = await fetch(video, {
    headers: {
      range: 'bytes=0-',
      'if-range': '"e"',
      cookie: 'mine',
      authorization: 'Bearer mine',
      'x-mine': '1',
    },
  });
  t.equal(response.status, 206);
  t.equal(await response.text(), 'abc');
  const headers = Object.fromEntries(response.headers);
  t.match(headers, { 'content-type': 'video/webm', 'content-range': 'bytes 0-2/3' });
  t.strictSame(
    ['set-cookie', 'x-secret', 'server'].filter((name) => name in headers),
    [],
  );
  t.match(seen[0]?.headers, { range: 'bytes=0-', 'if-range': '"e"', host: `127.0.0.1:${port}` });
  t.notMatch(JSON.stringify(seen[0]?.headers), new RegExp(`mine|${DEFAULT_KEY}|authorization|cookie`));

  const redirected = await fetch(`${video}?redirect=true`, { redirect: 'manual' });
  t.equal(redirected.status, 302);
  const location = redirected.headers.get('location');
  t.equal(location, `http://127.0.0.1:${port}/vid%C3%A9o.mp4?sig=%2B+%C3%BC`, 'ASCII, as a header must be');
});

t.test('a caller who hangs up in the middle', async (t) => {
  let hungUp: Promise<unknown> = Promise.resolve();
  const { video, app } = await hosted(t, (_request, response) => {
    hungUp = once(response, 'close');
    response.writeHead(200, { 'content-type': 'video/mp4' });
    const more = () => {
      while (!response.destroyed && response.write(Buffer.alloc(65_536)));
    };
    response.on('drain', more);
    more();
  });
  const caller = new AbortController();
  const response = await fetch(video, { signal: caller.signal });
  await response.body?.getReader().read();
  caller.abort();
  await hungUp;
  t.pass('the host is hung up on');
  const loud = app.logLines().filter((line) => (JSON.parse(line) as { level: number }).level >= 50);
  t.strictSame(loud, []);
});
