/** A forward proxy as companies have them: it makes tunnels (CONNECT), and knows names that nobody else knows. */

import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import type { Teardown } from './redis-process.js';

/** What becomes of a CONNECT: a tunnel, another status, a connection that breaks, or no answer. */
export type Manner = 'tunnel' | number | 'reset' | 'silence';

export interface ForwardProxy {
  /** `127.0.0.1:port` */
  readonly address: string;
  /** What was asked for so far, in order. */
  readonly asked: readonly { readonly to: string; readonly login: string | null }[];
  behave(manner: Manner): void;
  /** Breaks every tunnel. */
  cut(): void;
}

/** @param ports where names lead to on this machine: `{ 'name:port': port }` */
export async function startProxy(
  t: Teardown,
  ports: Readonly<Record<string, number>>,
): Promise<ForwardProxy> {
  const asked: { to: string; login: string | null }[] = [];
  const sockets = new Set<Socket>();
  let manner: Manner = 'tunnel';

  const server = createServer((_request, response) => void response.writeHead(405).end('CONNECT only'));
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('error', () => {}).on('close', () => sockets.delete(socket));
  });
  server.on('connect', ({ url: to = '', headers }, near: Socket, head: Buffer) => {
    const basic = /^Basic (.*)$/.exec(headers['proxy-authorization'] ?? '')?.[1];
    asked.push({ to, login: basic === undefined ? null : Buffer.from(basic, 'base64').toString() });
    if (manner === 'silence') return;
    if (manner === 'reset') near.resetAndDestroy();
    else if (typeof manner === 'number') near.end(`HTTP/1.1 ${manner} No\r\ncontent-length: 2\r\n\r\nno`);
    else {
      const port = ports[to];
      if (port === undefined) {
        near.end('HTTP/1.1 502 Bad Gateway\r\n\r\n');
        return;
      }
      const far = connect(port, '127.0.0.1', () => {
        near.write('HTTP/1.1 200 Connection established\r\n\r\n');
        far.write(head);
        near.pipe(far).pipe(near);
      });
      far.on('error', () => near.destroy()).on('close', () => near.destroy());
      near.on('close', () => far.destroy());
    }
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const cut = () => {
    for (const socket of sockets) socket.resetAndDestroy();
  };
  t.teardown(() => {
    server.close();
    cut();
  });
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    behave(next) {
      manner = next;
    },
    cut,
  };
}
