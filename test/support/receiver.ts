/** A receiver of callbacks: a real server that keeps what it is told, and answers as a test says. */

import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { Webhook } from 'standardwebhooks';
import type { AvatarView } from '../../src/http/schemas/avatar.js';
import { WEBHOOK_SECRET } from './app.js';
import { until } from './until.js';

/** The receivers of tests are on loopback. */
export const CALLBACK_NETWORKS = '127.0.0.0/8';

export interface Told {
  readonly type: string;
  readonly timestamp: string;
  readonly truncated?: true;
  readonly data: AvatarView;
}

export interface Call {
  readonly path: string;
  readonly method: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly response: ServerResponse;
}

export type Answer = (response: ServerResponse, call: Call) => void;

export interface Receiver {
  readonly url: string;
  readonly calls: Call[];
  readonly sockets: ReadonlySet<Socket>;
  /** How it answers from now on. */
  answer: Answer;
  /** The call with this number, from 0, once it is there. */
  call(at: number): Promise<Call>;
}

export const status =
  (code: number, headers: Record<string, string> = {}): Answer =>
  (response) =>
    void response.writeHead(code, headers).end();

/** Never answers. */
export const hold: Answer = () => {};

export async function startReceiver(
  t: { teardown(end: () => void): unknown },
  answer: Answer = status(204),
  host = '127.0.0.1',
): Promise<Receiver> {
  const calls: Call[] = [];
  const sockets = new Set<Socket>();
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request.setEncoding('utf8')) body += chunk;
    const { url = '', method = '', headers } = request;
    const call = { path: url, method, headers, body, response };
    calls.push(call);
    receiver.answer(response, call);
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('error', () => {}).on('close', () => sockets.delete(socket));
  });
  server.listen(0, host);
  await once(server, 'listening');
  t.teardown(() => {
    server.close();
    server.closeAllConnections();
  });
  const receiver: Receiver = {
    url: `http://${host}:${(server.address() as AddressInfo).port}`,
    calls,
    sockets,
    answer,
    call: (at) => until(`call ${at}`, async () => calls[at] ?? null, { withinMs: 60_000 }),
  };
  return receiver;
}

/** What a call says. @throws where its signature does not */
export function verified({ headers, body }: Call, secret = WEBHOOK_SECRET): Told {
  return new Webhook(secret).verify(body, headers as Record<string, string>) as Told;
}
