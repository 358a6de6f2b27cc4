/** Real servers on port 0 of 127.0.0.1 that count what reaches them, and a client pointed at them. */

import { once } from 'node:events';
import { createServer as createHttp, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import type { Test } from 'tap';
import { buildConnector } from 'undici';
import { ApiKey } from '../../src/modellix/api-key.js';
import {
  createModellixClient,
  type ModellixClient,
  type ModellixClientOptions,
} from '../../src/modellix/client.js';
import type { QueryOutcome, SubmitOutcome } from '../../src/modellix/outcome.js';
import type { Submission } from '../../src/modellix/submission.js';

export const SECRET = 'mx-secret-0123456789abcdef';
export const KEY = new ApiKey(SECRET);
export const SUBMIT_PATH = '/api/v1/image-to-video/kling/kling-avatar/async';
export const ACCEPTED = JSON.stringify({
  code: 0,
  message: 'success',
  data: { status: 'pending', task_id: 'task-avatar001', model_id: 'kling-avatar' },
});

export const SUBMISSION: Submission = {
  image: { bytes: Buffer.from('hello') },
  audio: { audioId: 'audio-1' },
  prompt: null,
  mode: 'std',
};
/** How it is sent. */
export const BODY = '{"image":"aGVsbG8=","audio_id":"audio-1","mode":"std"}';

/** More than the socket buffers of both sides hold, so that it cannot be sent before it is read. */
export const LARGE_SUBMISSION: Submission = {
  image: { bytes: Buffer.alloc(12 * 1024 * 1024, 'A') },
  audio: { soundFile: { bytes: Buffer.alloc(4096, 'B') } },
  prompt: 'smile',
  mode: 'pro',
};

/** A client with short time-outs that the test closes. */
export function clientFor(t: Test, baseUrl: string, options: Partial<ModellixClientOptions> = {}) {
  const client = createModellixClient({
    baseUrl,
    tasksPath: '/api/v1/tasks',
    userAgent: 'avatar-gateway/test',
    connectTimeoutMs: 5000,
    submitTimeoutMs: 10_000,
    queryTimeoutMs: 10_000,
    longPollMs: 0,
    videoTimeoutMs: 10_000,
    connectToVideos: buildConnector({}),
    ...options,
  });
  t.teardown(() => client.close());
  return client;
}

/** A submit with {@link KEY}, and what it came to. */
export async function submit(client: ModellixClient, submission = SUBMISSION): Promise<SubmitOutcome> {
  return (await client.submit(KEY, submission, { path: SUBMIT_PATH, traceparent: null })).outcome;
}

/** A query with {@link KEY}, and what it came to. */
export async function query(client: ModellixClient, taskId = 'task-1'): Promise<QueryOutcome> {
  return (await client.query(KEY, taskId)).outcome;
}

export interface RawServer {
  readonly origin: string;
  readonly port: number;
  /** Of every connection, in order: what arrived, and its end. */
  readonly connections: { text: string; readonly socket: Socket; readonly closed: Promise<unknown> }[];
  /** Resolves once the peer has let go of every connection. */
  quiet(): Promise<void>;
}

/** TCP only: `onData` sees each connection with all that arrived on it so far (first 64 KB kept). */
export async function rawServer(
  t: Test,
  onData: (socket: Socket, text: string) => void,
  onConnection: (socket: Socket) => void = () => {},
): Promise<RawServer> {
  const connections: RawServer['connections'] = [];
  const server = createServer((socket) => {
    const connection = { text: '', socket, closed: once(socket, 'close').catch(() => {}) };
    connections.push(connection);
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      connection.text = (connection.text + chunk.toString('latin1')).slice(0, 65_536);
      onData(socket, connection.text);
    });
    onConnection(socket);
  });
  const port = await listen(t, server);
  const quiet = async () => {
    await Promise.all(connections.map(({ closed }) => closed));
    // A connection that followed the first would have been asked for by now: let it be accepted.
    for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  };
  t.teardown(() => {
    for (const { socket } of connections) socket.destroy();
  });
  return { origin: `http://127.0.0.1:${port}`, port, connections, quiet };
}

/** How many requests began to arrive, over all connections. */
export function begun({ connections }: RawServer): number {
  return connections.reduce((sum, { text }) => sum + text.split(/(?:POST|GET|HEAD) \//).length - 1, 0);
}

/** Runs `act` for each request, when it has arrived whole (by its content-length). */
export function whenWhole(act: (socket: Socket) => void): (socket: Socket, text: string) => void {
  const past = new WeakMap<Socket, number>();
  return (socket, all) => {
    const from = past.get(socket) ?? 0;
    const text = all.slice(from);
    const end = text.indexOf('\r\n\r\n');
    const length = Number(/content-length: (\d+)/i.exec(text)?.[1] ?? 0);
    if (end < 0 || text.length < end + 4 + length) return;
    past.set(socket, from + end + 4 + length);
    act(socket);
  };
}

export interface Seen {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

export interface HttpServer {
  readonly origin: string;
  readonly requests: Seen[];
  connections: number;
}

/** An HTTP server that has read each request whole before it answers. */
export async function httpServer(
  t: Test,
  answer: (response: ServerResponse, request: Seen) => void,
): Promise<HttpServer> {
  const seen: HttpServer = { origin: '', requests: [], connections: 0 };
  const server = createHttp(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks).toString();
    const one = { method: request.method, url: request.url, headers: request.headers, body };
    seen.requests.push(one);
    answer(response, one);
  });
  server.on('connection', () => {
    seen.connections += 1;
  });
  const port = await listen(t, server);
  t.teardown(() => server.closeAllConnections());
  return Object.assign(seen, { origin: `http://127.0.0.1:${port}` });
}

/** Answers each request with the same status, body and headers. */
export function answering(status: number, body = '', headers: Record<string, string> = {}) {
  return (response: ServerResponse) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(body);
  };
}

/** A port on which nobody listens. */
export async function deadPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

async function listen(t: Test, server: ReturnType<typeof createServer>): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  return (server.address() as AddressInfo).port;
}
