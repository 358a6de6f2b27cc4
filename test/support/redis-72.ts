/**
 * A way to an older Redis that answers WAIT and WAITAOF as 7.2 does: for a client they wait for its own writes, and for none
 * where it wrote nothing; before, it was for whatever was written when it last sent a command. Redis 7.0 has no WAITAOF at all.
 * It passes commands and replies, but no subscriptions.
 */

import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { Redis } from 'ioredis';
import type { Teardown } from './redis-process.js';

export interface Way72 {
  readonly url: string;
  /** From here on the master flushes nothing to its append-only file; or does so again. */
  holdFlushes(hold: boolean): Promise<void>;
}

export async function wayAs72(t: Teardown, port: number): Promise<Way72> {
  const admin = new Redis({ port, host: '127.0.0.1' });
  const sockets = new Set<Socket>();
  let flushedTo = Number.POSITIVE_INFINITY;

  const server = createServer((near) => {
    sockets.add(near);
    const far = new Redis({ port, host: '127.0.0.1', disableClientInfo: true });
    near.on('error', () => {});
    near.on('close', () => far.disconnect());
    far.on('error', () => near.destroy());
    let written = 0;
    const answer = async ([name, ...args]: readonly Buffer[]): Promise<unknown> => {
      const word = String(name).toUpperCase();
      if (word === 'WAIT') return waitFor(Number(args[0]), Number(args[1]), () => copiesOf(written));
      if (word === 'WAITAOF') {
        const flushed = async () => Number(written <= flushedTo);
        return [await waitFor(Number(args[0]), Number(args[2]), flushed), 0];
      }
      // Sent together, so that nobody else's write comes between them.
      const [before, reply, after] = await Promise.all([
        far.info('replication'),
        far.callBuffer(String(name), ...args).catch((error: unknown) => error),
        far.info('replication'),
      ]);
      if (offsetIn(before) !== offsetIn(after)) written = offsetIn(after);
      return reply;
    };
    let [pending, last] = [Buffer.alloc(0), Promise.resolve()];
    near.on('data', (chunk) => {
      pending = Buffer.concat([pending, chunk]);
      for (let read = commandIn(pending); read !== null; read = commandIn(pending)) {
        const { command, length } = read;
        pending = pending.subarray(length);
        last = last
          .then(async () => void near.write(encoded(await answer(command))))
          .catch(() => void near.destroy());
      }
    });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
    admin.disconnect();
  });

  async function copiesOf(offset: number): Promise<number> {
    await admin.wait(1, 1); // Has the replicas say where they are.
    const told = await admin.info('replication');
    return [...told.matchAll(/^slave\d+:.*offset=(\d+)/gm)].filter(([, at]) => Number(at) >= offset).length;
  }

  return {
    url: `redis://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async holdFlushes(hold) {
      flushedTo = hold ? offsetIn(await admin.info('replication')) : Number.POSITIVE_INFINITY;
    },
  };
}

async function waitFor(wanted: number, ms: number, count: () => Promise<number>): Promise<number> {
  for (const deadline = performance.now() + ms; ; await pause(5)) {
    const there = await count();
    if (there >= wanted || performance.now() > deadline) return there;
  }
}

function offsetIn(info: string): number {
  return Number(/^master_repl_offset:(\d+)/m.exec(info)?.[1]);
}

/** The first command in the bytes, once it is whole: an array of bulk strings. */
function commandIn(bytes: Buffer): { command: Buffer[]; length: number } | null {
  const lineFrom = (at: number) => {
    const end = bytes.indexOf('\r\n', at);
    return end < 0 ? null : { number: Number(bytes.toString('latin1', at + 1, end)), next: end + 2 };
  };
  const count = lineFrom(0);
  if (count === null) return null;
  const command: Buffer[] = [];
  let at = count.next;
  while (command.length < count.number) {
    const size = lineFrom(at);
    if (size === null || bytes.length < size.next + size.number + 2) return null;
    command.push(bytes.subarray(size.next, size.next + size.number));
    at = size.next + size.number + 2;
  }
  return { command, length: at };
}

function encoded(reply: unknown): Buffer {
  if (reply === null || reply === undefined) return Buffer.from('$-1\r\n');
  if (typeof reply === 'number') return Buffer.from(`:${reply}\r\n`);
  if (reply instanceof Error) return Buffer.from(`-${reply.message}\r\n`);
  if (Array.isArray(reply))
    return Buffer.concat([Buffer.from(`*${reply.length}\r\n`), ...reply.map(encoded)]);
  const bytes = Buffer.isBuffer(reply) ? reply : Buffer.from(String(reply));
  return Buffer.concat([Buffer.from(`$${bytes.length}\r\n`), bytes, Buffer.from('\r\n')]);
}
