/** What stands between a client and its gateway: a proxy that breaks connections, or a server that answers as told. */

import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, createServer as createTcpServer, type Socket } from 'node:net';

interface Teardown {
  teardown(end: () => void): unknown;
}

export interface Proxy {
  readonly url: string;
  /** Where it leads: a gateway that was started again has another port. */
  target: string;
  /** So many answers are still to be lost, each as its first bytes come. */
  losing: number;
  /** Connections made so far. */
  readonly connections: () => number;
  /** Everything the gateway said so far. */
  readonly said: () => string;
  /** Breaks all connections, once what is on its way has arrived. */
  cut(): void;
}

/** Passes bytes on, to and fro. Where nobody is at its target, it hangs up. */
export async function startProxy(t: Teardown, target: string): Promise<Proxy> {
  const sockets = new Set<Socket>();
  let connections = 0;
  let said = '';
  const keep = (socket: Socket) => {
    sockets.add(socket);
    return socket.on('error', () => {}).on('close', () => sockets.delete(socket));
  };
  const server = createTcpServer((caller) => {
    connections += 1;
    const { hostname, port } = new URL(proxy.target);
    const gateway = keep(connect(Number(port), hostname));
    keep(caller).pipe(gateway);
    gateway.on('data', (bytes) => {
      said += bytes.toString('latin1');
      if (proxy.losing === 0) return void caller.write(bytes);
      proxy.losing -= 1;
      caller.destroy();
    });
    gateway.on('close', () => caller.destroy());
    caller.on('close', () => gateway.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const cut = () => {
    for (const socket of sockets) socket.destroySoon();
  };
  t.teardown(() => {
    server.close();
    cut();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const proxy: Proxy = { url, target, losing: 0, connections: () => connections, said: () => said, cut };
  return proxy;
}

/** Has a gateway below a path, and nothing beside it. @returns where, without a slash at the end */
export async function startPathProxy(t: Teardown, target: string): Promise<string> {
  const server = createServer((incoming, response) => {
    const { url: path = '', method, headers } = incoming;
    if (!path.startsWith('/own/gw/avatars')) return void response.writeHead(421).end();
    const passed = request(target + path.slice('/own/gw'.length), { method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 0, answer.headers);
      answer.pipe(response);
    });
    incoming.pipe(passed);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.close();
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/own/gw`;
}

export type Answer = (response: ServerResponse, request: IncomingMessage) => void;

/** An answer of JSON. */
export const says =
  (status: number, body: object = {}, headers: Record<string, string> = {}): Answer =>
  (response) => {
    const type = status < 400 ? 'application/json' : 'application/problem+json';
    response.writeHead(status, { 'content-type': type, ...headers }).end(JSON.stringify(body));
  };

/** Hangs up. */
export const breaksOff: Answer = (response) => void response.destroy();

/** Never answers. */
export const hangs: Answer = () => {};

export interface Scripted {
  readonly url: string;
  /** Each with the time of its arrival, by `performance.now()`. */
  readonly requests: { readonly headers: IncomingMessage['headers']; readonly at: number }[];
}

/** Answers the first request with the first answer and so on, and what comes behind the last one with that. */
export async function startScripted(t: Teardown, ...answers: readonly Answer[]): Promise<Scripted> {
  const requests: Scripted['requests'] = [];
  const server = createServer((request, response) => {
    const answer = answers[requests.length] ?? answers.at(-1);
    requests.push({ headers: request.headers, at: performance.now() });
    request.resume().on('end', () => answer?.(response, request));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.close();
    server.closeAllConnections();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests };
}

/** What a promise is rejected with. @throws where it is not */
export function rejection(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => {
      throw new Error('it was not rejected');
    },
    (error: unknown) => error,
  );
}

export async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}
