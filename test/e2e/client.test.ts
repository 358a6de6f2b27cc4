/** The client in a page of a real browser, which reaches the gateway through the backend that it came from. */

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import httpProxy from '@fastify/http-proxy';
import { fastify } from 'fastify';
import t, { type Test } from 'tap';
import { startApp } from '../support/app.js';
import { buildClient } from '../support/build.js';
import { callersFile } from '../support/callers.js';
import { browserFor, complaintsOf } from './browser.js';

t.setTimeout(600_000);

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const PAGE = `<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,">
<script type="importmap">{ "imports": {
  "avatar-gateway/client": "/client/index.js",
  "eventsource-parser": "/eventsource-parser.js"
} }</script>
<input type="file" name="image"><input type="file" name="sound">`;

/** An application: its page, the modules it is made of, and the gateway under a path of its own, with the key that the page does not know. */
async function startBackend(t: Test, gateway: string, key: { authorization: string }): Promise<string> {
  const dir = t.testdir();
  await buildClient(dir);
  const server = fastify();
  t.teardown(() => server.close());
  const script = async (file: string) => readFile(file, 'utf8');
  server.get('/', (_, reply) => reply.type('text/html').send(PAGE));
  server.get<{ Params: { file: string } }>('/client/:file', async ({ params }, reply) =>
    reply.type('text/javascript').send(await script(join(dir, 'dist/client', params.file))),
  );
  server.get('/eventsource-parser.js', async (_, reply) =>
    reply
      .type('text/javascript')
      .send(await script(join(ROOT, 'node_modules/eventsource-parser/dist/index.js'))),
  );
  await server.register(httpProxy, {
    upstream: gateway,
    prefix: '/gateway',
    replyOptions: { rewriteRequestHeaders: (_, headers) => ({ ...headers, ...key }) },
  });
  return server.listen({ host: '127.0.0.1', port: 0 });
}

t.test('a page makes an avatar of files, follows it, and has the video', async (t) => {
  const { file, as } = await callersFile(t, { application: {} });
  const { url, simulator } = await startApp(t, { callers: { kind: 'file', file } });
  const origin = await startBackend(t, url, as('application'));
  const page = await (await browserFor(t)).newPage();
  page.setDefaultTimeout(60_000);
  const complaints = complaintsOf(page);
  await page.exposeFunction('settle', (taskId: string) => simulator.settle(taskId, { end: 'success' }));
  await page.goto(origin);
  await page.setInputFiles('[name=image]', `${ROOT}test/demo/portrait.jpg`);
  await page.setInputFiles('[name=sound]', `${ROOT}test/demo/speech.mp3`);

  const seen = await page.evaluate(async (specifier) => {
    const { createClient, isFinal } = (await import(specifier)) as typeof import('../../src/client/index.js');
    const { document, settle } = globalThis as unknown as {
      document: { querySelector(selector: string): { files: [File] } };
      settle(taskId: string): Promise<void>;
    };
    const [image] = document.querySelector('[name=image]').files;
    const [sound_file] = document.querySelector('[name=sound]').files;
    const client = createClient({ baseUrl: '/gateway' });

    const made = await client.create({ image, sound_file, prompt: 'ä' });
    const statuses: string[] = [];
    const feed = client.events(null, { lastEventId: '0' })[Symbol.asyncIterator]();
    const told = (await feed.next()).value;
    await feed.return?.();
    for await (const event of client.events(made.id)) {
      if (event.type !== 'avatar') continue;
      statuses.push(event.avatar.status);
      if (!isFinal(event.avatar)) await settle(String(made.task_id));
    }
    const ended = await client.wait(made.id, { timeoutMs: 60_000 });
    const { body, contentLength } = await client.video(made.id);
    const video = await new Response(body).blob();
    const listed: string[] = [];
    for await (const { id } of client.list()) listed.push(id);
    return { made, statuses, ended, told, contentLength, bytes: video.size, listed };
  }, 'avatar-gateway/client');

  t.match(seen.made, {
    prompt: 'ä',
    image: { source: 'inline', format: 'jpeg', width: 720, height: 960 },
    audio: { source: 'inline', format: 'mp3', duration_seconds: 6.177 },
  });
  t.match(seen.ended, { id: seen.made.id, status: 'succeeded' });
  t.equal(seen.statuses.at(-1), 'succeeded');
  t.match(seen.told, { type: 'avatar', avatar: { id: seen.made.id } });
  t.equal(seen.bytes, (await readFile(`${ROOT}test/simulator/result.mp4`)).length);
  t.equal(seen.contentLength, seen.bytes);
  t.strictSame(seen.listed, [seen.made.id]);
  t.equal(simulator.ledger().length, 1);
  t.strictSame(
    complaints.filter((each) => !each.endsWith('ERR_ABORTED')),
    [],
    'nothing but the stream that was left went wrong',
  );

  const failed = await page.evaluate(async (specifier) => {
    const { createClient, GatewayError } = (await import(
      specifier
    )) as typeof import('../../src/client/index.js');
    const client = createClient({ baseUrl: '/gateway' });
    const error = await client.get('av_none').catch((error: unknown) => error);
    const leave = new AbortController();
    const leaving = client.wait('av_none', { signal: leave.signal }).catch((error: unknown) => error);
    leave.abort('enough');
    return {
      isGatewayError: error instanceof GatewayError,
      type: error instanceof GatewayError && error.type,
      left: await leaving,
    };
  }, 'avatar-gateway/client');
  t.strictSame(failed, { isGatewayError: true, type: 'not-found', left: 'enough' });
});
