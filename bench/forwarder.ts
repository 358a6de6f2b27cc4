/**
 * What the gateway is measured beside: forwarders that add the key of the upstream, and check and store nothing. A process, with
 * arguments: which one (`bare`, `streamed`, `http-proxy`), the upstream's URL, and the port, any free one if not given.
 */

import { createServer, type IncomingMessage } from 'node:http';
import { buffer } from 'node:stream/consumers';
import httpProxy from '@fastify/http-proxy';
import Fastify from 'fastify';
import { type Dispatcher, Pool } from 'undici';

const [, , kind, upstream = '', port = '0'] = process.argv;
const LISTEN = { port: Number(port), host: '127.0.0.1' };
const MAX_BODY_BYTES = 64e6;
const CONNECTIONS = 64;
const AUTHORIZATION = 'Bearer upstream-key';

// Ends with the bench.
process.once('disconnect', () => process.exit());

if (kind === 'http-proxy') {
  const app = Fastify({ bodyLimit: MAX_BODY_BYTES });
  await app.register(httpProxy, {
    upstream,
    undici: { connections: CONNECTIONS, pipelining: 1 },
    replyOptions: { rewriteRequestHeaders: (_, headers) => ({ ...headers, authorization: AUTHORIZATION }) },
  });
  await app.listen(LISTEN);
} else {
  forward(kind === 'streamed' ? async (request) => request : buffer);
}

function forward(bodyOf: (request: IncomingMessage) => Promise<Buffer | IncomingMessage>): void {
  const pool = new Pool(upstream, { connections: CONNECTIONS, pipelining: 1 });
  const server = createServer(async (request, response) => {
    const { method, url = '/', headers } = request;
    const asked: Dispatcher.RequestOptions = {
      method: method === 'POST' ? 'POST' : 'GET',
      path: url,
      headers: { authorization: AUTHORIZATION },
    };
    if (method === 'POST') {
      asked.body = await bodyOf(request);
      asked.headers = {
        authorization: AUTHORIZATION,
        'content-type': headers['content-type'],
        'content-length': headers['content-length'],
      };
    }
    const answer = await pool.request(asked);
    const bytes = Buffer.from(await answer.body.arrayBuffer());
    response.writeHead(answer.statusCode, {
      'content-type': 'application/json',
      'content-length': bytes.length,
    });
    response.end(bytes);
  });
  server.listen(LISTEN);
}
