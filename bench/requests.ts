/**
 * Requests per second and latency of `POST /avatars` and `GET /avatars/{id}`, beside a bare `@fastify/http-proxy`
 * that forwards the same body to the same upstream, in one run. `npm run bench`.
 *
 * The upstream answers at once and every process runs on this machine, so the figures are the cost of the gateway
 * itself. The proxy checks nothing, stores nothing and asks the upstream on every read.
 */

import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import autocannon from 'autocannon';
import { type Running, startGateway } from '../test/support/processes.js';

const CONNECTIONS = 10;
const SECONDS = 5;

const media = (name: string) => readFile(new URL(`../test/demo/${name}`, import.meta.url), 'base64');
const body = JSON.stringify({ image: await media('portrait.jpg'), sound_file: await media('speech.mp3') });

/** Takes every submit and knows every task, at once. */
function startUpstream(): Promise<{ url: string; close: () => void }> {
  let tasks = 0;
  const server = createServer((request, response) => {
    request.resume().on('end', () => {
      const data =
        request.method === 'POST'
          ? { status: 'pending', task_id: `task-${++tasks}`, model_id: 'kling-avatar' }
          : { status: 'processing', task_id: 'task-1', model_id: 'kling-avatar' };
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ code: 0, message: 'success', data }));
    });
  });
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      resolve({ url: `http://127.0.0.1:${port}`, close: () => server.close().closeAllConnections() });
    });
  });
}

/** The proxy in a thread of its own, so that it does not share an event loop with the load. */
function startProxy(upstream: string): Promise<{ url: string; close: () => Promise<number> }> {
  const source = `
    const { parentPort, workerData } = require('node:worker_threads');
    const app = require('fastify')({ bodyLimit: 64e6 });
    app.register(require('@fastify/http-proxy'), { upstream: workerData });
    app.listen({ port: 0, host: '127.0.0.1' }).then((url) => parentPort.postMessage(url));`;
  const worker = new Worker(source, { eval: true, execArgv: [], workerData: upstream });
  return new Promise((resolve) => {
    worker.once('message', (url: string) => resolve({ url, close: () => worker.terminate() }));
  });
}

async function measure(name: string, options: autocannon.Options): Promise<void> {
  const result = await autocannon({ connections: CONNECTIONS, duration: SECONDS, ...options });
  const refused = result.non2xx + result.errors;
  const row = [
    name.padEnd(34),
    `${Math.round(result.requests.average)}/s`.padStart(9),
    `p50 ${result.latency.p50} ms`.padStart(13),
    `p99 ${result.latency.p99} ms`.padStart(13),
    refused === 0 ? '' : `${refused} NOT 2xx`,
  ];
  console.log(row.join(' '));
}

const upstream = await startUpstream();
const dir = await mkdtemp(join(tmpdir(), 'avatar-gateway-bench-'));
const proxy = await startProxy(upstream.url);
let gateway: Running | undefined;
try {
  gateway = await startGateway({
    MODELLIX_API_KEY: 'bench',
    MODELLIX_BASE_URL: upstream.url,
    DATA_DIR: dir,
    RATE_LIMIT_PER_MINUTE: '1000000',
    POLL_MIN_SECONDS: '300',
    POLL_MAX_SECONDS: '300',
  });
  console.log(
    `node ${process.version}, ${cpus().length} cores, ${CONNECTIONS} connections, ${SECONDS} s each`,
  );
  console.log(`a body of ${body.length} bytes`);

  const post = { method: 'POST' as const, headers: { 'content-type': 'application/json' }, body };
  const first = await fetch(`${gateway.url}/avatars`, post);
  const { id } = (await first.json()) as { id: string };
  await measure('gateway POST /avatars', { ...post, url: `${gateway.url}/avatars` });
  await measure('http-proxy POST', { ...post, url: `${proxy.url}/api/v1/kling/kling-avatar/async` });
  await measure('gateway GET /avatars/{id}', { url: `${gateway.url}/avatars/${id}` });
  await measure('http-proxy GET', { url: `${proxy.url}/api/v1/tasks/task-1` });
} finally {
  await gateway?.stop();
  await proxy.close();
  upstream.close();
  await rm(dir, { recursive: true, force: true });
}
