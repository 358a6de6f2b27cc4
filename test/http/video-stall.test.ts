/** Callers who take nothing of a video are cut off; those who have to wait for it are not. */

import { once } from 'node:events';
import { createServer, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { parseNetworks } from '../../src/outbound/addresses.js';
import { startApp } from '../support/app.js';
import { bytesOf, succeeded } from '../support/video.js';

const STALL_MS = 300;

async function hosted(t: Test, answer: (response: ServerResponse) => void): Promise<string> {
  const host = createServer((_request, response) => answer(response));
  t.teardown(() => {
    host.closeAllConnections();
    host.close();
  });
  await once(host.listen(0, '127.0.0.1'), 'listening');
  const url = `http://127.0.0.1:${(host.address() as AddressInfo).port}/v.mp4`;
  const app = await startApp(t, {
    videos: { stallMs: STALL_MS, allowedNetworks: parseNetworks('127.0.0.0/8') },
  });
  const resources = [{ type: 'video', role: 'primary', url }];
  app.simulator.inject({ on: 'query', probability: 1, do: { patch: { data: { result: { resources } } } } });
  return succeeded(app);
}

t.test('a caller who takes nothing', async (t) => {
  let hungUp: Promise<unknown> = Promise.resolve();
  const video = await hosted(t, (response) => {
    hungUp = once(response, 'close');
    response.writeHead(200, { 'content-type': 'video/mp4' });
    const more = () => {
      while (!response.destroyed && response.write(Buffer.alloc(65_536)));
    };
    response.on('drain', more);
    more();
  });
  const call = request(video, { agent: false });
  call.on('error', () => undefined).end();
  const [response] = await once(call, 'response');
  response.pause();
  await hungUp;
  t.pass('the host is hung up on, too');
  await t.rejects(response.toArray(), 'and the caller does not take what came for all there is');
});

t.test('a host that takes its time', async (t) => {
  const video = await hosted(t, async (response) => {
    response.writeHead(200, { 'content-type': 'video/mp4' });
    for (const piece of ['abc', 'def', 'ghi']) {
      response.write(piece);
      await pause(2 * STALL_MS);
    }
    response.end();
  });
  t.equal((await bytesOf(await fetch(video))).toString(), 'abcdefghi');
});
