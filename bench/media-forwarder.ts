/**
 * What the gateway is measured beside: forwarders that check and store nothing. A process, with two arguments: which
 * one (`bare`, `streamed`, `http-proxy`), and the upstream's URL.
 */

import { createServer, type IncomingMessage } from 'node:http';
import { buffer } from 'node:stream/consumers';
import httpProxy from '@fastify/http-proxy';
import Fastify from 'fastify';
import { type Dispatcher, Pool } from 'undici';

const [, , kind, upstream = ''] = process.argv;
const HOST = '127.0.0.1';
const MAX_BODY_BYTES = 64e6;

if (kind === 'http-proxy') {
  const app = Fastify({ bodyLimit: MAX_BODY_BYTES });
  await app.register(httpProxy, { upstream });
  await app.listen({ port: 0, host: HOST });
} else {
  forward(kind === 'streamed' ? async (request) => request : buffer);
}

function forward(bodyOf: (request: IncomingMessage) => Promise<Buffer | IncomingMessage>): void {
  const pool = new Pool(upstream);
  const server = createServer(async (request, response) => {
    const { method, url = '/', headers } = request;
    const asked: Dispatcher.RequestOptions = { method: method === 'POST' ? 'POST' : 'GET', path: url };
    if (method === 'POST') {
      asked.body = await bodyOf(request);
      asked.headers = {
        'content-type': headers['content-type'],
        'content-length': headers['content-length'],
      };
    }
    const answer = await pool.request(asked);
    response.writeHead(answer.statusCode, { 'content-type': 'application/json' });
    answer.body.pipe(response);
  });
  server.listen(0, HOST);
}
