/** Servers on loopback addresses that count who connects, and fetchers that may reach one of them. */

import { once } from 'node:events';
import { createServer as createHttp, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import type { Test } from 'tap';
import type { Fetched } from '../../src/domain/media/fetched.js';
import { parseNetworks } from '../../src/outbound/addresses.js';
import {
  createMediaFetcher,
  type Lookup,
  type MediaFetcher,
  type MediaFetcherOptions,
} from '../../src/outbound/fetcher.js';

/** The only address the fetchers of these tests may reach, beside the public internet. */
export const ALLOWED = '127.0.0.2';

export const NOT_PUBLIC: Fetched = {
  kind: 'not-allowed',
  detail: 'leads to an address that is not on the public internet',
};

export const failed = (reason: string): Fetched => ({
  kind: 'unreachable',
  detail: `could not be fetched: ${reason}`,
});

/** A fetcher that may reach {@link ALLOWED} and looks up no name unless told how. */
export function fetcherFor(t: Test, options: Partial<MediaFetcherOptions> = {}): MediaFetcher {
  const fetcher = createMediaFetcher({
    timeoutMs: 20_000,
    allowedNetworks: parseNetworks(`${ALLOWED}/32`),
    userAgent: 'avatar-gateway/test',
    lookup: namesOf({}),
    ...options,
  });
  t.teardown(() => fetcher.close());
  return fetcher;
}

/** A look-up from a table; what is not in it isn't found. */
export function namesOf(table: Readonly<Record<string, readonly string[]>>): Lookup {
  return async (hostname) => {
    const addresses = table[hostname];
    if (addresses === undefined) {
      throw Object.assign(new Error(`ENOTFOUND ${hostname}`), { code: 'ENOTFOUND' });
    }
    return addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
  };
}

export interface Counting {
  readonly host: string;
  readonly port: number;
  readonly origin: string;
  /** Every socket that was accepted, in order. */
  readonly sockets: Socket[];
}

/** Port 0 where none is given. */
export async function listen(t: Test, server: Server, host = ALLOWED, port = 0): Promise<Counting> {
  const sockets: Socket[] = [];
  server.on('connection', (socket: Socket) => {
    sockets.push(socket.on('error', () => {}));
  });
  server.listen({ host, port });
  await once(server, 'listening');
  t.teardown(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  const at = server.address() as AddressInfo;
  const name = host.includes(':') ? `[${host}]` : host;
  return { host, port: at.port, origin: `http://${name}:${at.port}`, sockets };
}

/** Listens on all addresses of this host, so that whatever leads inside is seen. */
export function canary(t: Test): Promise<Counting> {
  const server = createHttp((_request, response) => void response.end('secret'));
  return listen(t, server, '::');
}

export interface HttpServer extends Counting {
  readonly requests: IncomingMessage[];
}

export async function httpServer(
  t: Test,
  answer: (response: ServerResponse, request: IncomingMessage) => void,
  host = ALLOWED,
  port = 0,
): Promise<HttpServer> {
  const requests: IncomingMessage[] = [];
  const server = createHttp((request, response) => {
    requests.push(request);
    answer(response, request);
  });
  return { requests, ...(await listen(t, server, host, port)) };
}

/** Answers each request with the same status, headers and body. */
export function answering(status: number, headers: Record<string, string> = {}, body: string | Buffer = '') {
  return (response: ServerResponse) => void response.writeHead(status, headers).end(body);
}

/** TCP only: `act` sees each connection once, when the head of its request has come. */
export function rawServer(t: Test, act: (socket: Socket) => void): Promise<Counting> {
  const server = createServer((socket) => {
    let text = '';
    socket.on('data', (chunk) => {
      const before = text.includes('\r\n\r\n');
      text += chunk.toString('latin1');
      if (!before && text.includes('\r\n\r\n')) act(socket);
    });
  });
  return listen(t, server);
}

/** Once the other side has let go of every connection. */
export async function letGo({ sockets }: Counting): Promise<void> {
  await Promise.all(sockets.map((socket) => (socket.closed ? null : once(socket, 'close').catch(() => {}))));
}
