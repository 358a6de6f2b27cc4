import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import type { Test } from 'tap';

/** An address that stays while what is behind it comes and goes. */
export interface Relay {
  readonly url: string;
  leadTo(url: string): void;
  /** Resolves when somebody has met nobody behind it. */
  refused(): Promise<void>;
}

export async function startRelay(t: Test, url: string): Promise<Relay> {
  let target = new URL(url);
  let onRefused = (): void => undefined;
  const sockets = new Set<Socket>();
  const server = createServer((caller) => {
    const behind = connect(Number(target.port), target.hostname);
    for (const [socket, other] of [
      [caller, behind],
      [behind, caller],
    ] as const) {
      sockets.add(socket);
      socket.on('error', ({ code }: NodeJS.ErrnoException) => code === 'ECONNREFUSED' && onRefused());
      socket.on('close', () => {
        sockets.delete(socket);
        other.destroy();
      });
      socket.pipe(other);
    }
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  t.teardown(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    leadTo(url) {
      target = new URL(url);
    },
    refused: () =>
      new Promise((resolve) => {
        onRefused = resolve;
      }),
  };
}
