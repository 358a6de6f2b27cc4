/** Those who attack, as bytes on sockets. A process of its own. */

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { constants, setPriority } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type AttackName,
  BODY_MEMORY_BYTES,
  KEYS,
  type OverloadSaid,
  type OverloadTold,
} from './overload-messages.js';
import { say } from './probe-messages.js';

/** Connections that are made at once: more than the backlog has room for would be tried again after a second. */
const AT_ONCE = 100;
const CHUNK = Buffer.alloc(64 * 1024, 'A');
const CHUNKED = Buffer.concat([Buffer.from(`${CHUNK.length.toString(16)}\r\n`), CHUNK, Buffer.from('\r\n')]);
/** What a connection is for; a promise where it is not there before that is settled. */
type Begin = (n: number, socket: Socket) => unknown;

/** Between two waves of those who come all at once. */
const WAVE_MS = 5_000;
/** Bad requests that come one after the other, a second. */
const A_SECOND = 200;
/** The largest body there may be. */
const MAX_CLAIM_BYTES = 21_495_808;
/** A body grows by so much in each such time: enough not to be given up. */
const DRIBBLE = { bytes: 72_000, everyMs: 9_000 };
/** As many as the rate limit lets a caller ask for by default. */
const STREAMS_A_SECOND = 20;
const AUTHORIZATION = `Authorization: Bearer ${KEYS.greedy}`;

const post = (...headers: string[]) =>
  [
    'POST /avatars HTTP/1.1',
    'Host: localhost',
    'Content-Type: application/json',
    AUTHORIZATION,
    ...headers,
    '',
    '',
  ].join('\r\n');
const GET = 'GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n';
const STREAM = `GET /avatars/events HTTP/1.1\r\nHost: localhost\r\n${AUTHORIZATION}\r\n\r\n`;
const NONSENSE = [
  'nonsense\r\n\r\n',
  'GET /%zz HTTP/1.1\r\nHost: localhost\r\n\r\n',
  'GET /avatars HTTP/1.1\r\n\r\n',
  `GET /avatars HTTP/1.1\r\nHost: localhost\r\nX: ${'a'.repeat(20_000)}\r\n\r\n`,
  post('Content-Length: 9').concat('{"image":'),
];

/** With the status it was answered with last. */
const open = new Map<Socket, string | undefined>();
const outcomes: Record<string, number> = {};
const closedAfterMs: number[] = [];
let port = 0;
let fromCallers = false;
let connections = 0;
let heldAtMost = 0;
let isOver = false;

// Whoever attacks has a machine of its own.
setPriority(constants.priority.PRIORITY_LOW);
process.once('disconnect', () => process.exit());
process.on('message', async (told: OverloadTold) => {
  if (told.kind === 'attack') {
    port = told.port;
    fromCallers = told.fromCallers;
    await attack(told.name, told.connections);
    say<OverloadSaid>({ kind: 'attacking' });
  }
  if (told.kind === 'end') {
    isOver = true;
    for (const [socket, status] of open) {
      count(`${status ?? 'no answer'}, open at the end`);
      socket.destroy();
    }
    const sorted = closedAfterMs.toSorted((a, b) => a - b);
    const middle = sorted[Math.floor(sorted.length / 2)] ?? null;
    say<OverloadSaid>({
      kind: 'ended',
      fate: { heldAtMost, connections, outcomes, closedAfterMs: middle },
    });
  }
});

async function attack(name: AttackName, count: number): Promise<void> {
  switch (name) {
    case 'slowloris':
      return hold(count, (n, socket) => {
        socket.write(n % 2 === 0 ? `${GET.trimEnd()}\r\nX-Y: ` : post('Content-Length: 1000'));
        const drip = setInterval(() => socket.write('a'), 1_000);
        socket.once('close', () => clearInterval(drip));
      });
    case 'idle':
      return hold(count, (n, socket) => {
        if (n % 2 === 0) socket.write(GET);
      });
    case 'oversized':
      void waves(count, WAVE_MS, (n, socket) => {
        if (n % 2 === 0) {
          socket.write(post('Content-Length: 25000000'));
          socket.write(CHUNK);
        } else {
          socket.write(post('Transfer-Encoding: chunked'));
          const more = (): void =>
            void (socket.write(CHUNKED) && setImmediate(() => !socket.destroyed && more()));
          socket.on('drain', more);
          more();
        }
        // An answer is all that is to be had.
        socket.once('data', () => setTimeout(() => socket.destroy(), 100));
      });
      return;
    case 'slow-uploads':
      return hold(count, (n, socket) => {
        const claim = Math.min(MAX_CLAIM_BYTES, BODY_MEMORY_BYTES - n * MAX_CLAIM_BYTES);
        socket.write(`${post(`Content-Length: ${claim}`)}{"image":"`);
        const dribble = () => socket.write(Buffer.alloc(DRIBBLE.bytes, 'A'));
        dribble();
        const more = setInterval(dribble, DRIBBLE.everyMs);
        socket.once('close', () => clearInterval(more));
        // Refused for now: it comes again.
        socket.once('data', () => socket.destroy());
      });
    case 'streams':
      await hold(count, async (_, socket) => {
        socket.write(STREAM);
        await Promise.race([once(socket, 'data'), once(socket, 'close')]);
      });
      void waves(1, 1_000 / STREAMS_A_SECOND, (_, socket) => {
        socket.write(STREAM);
        socket.once('data', () => socket.destroy());
      });
      return;
    case 'nonsense':
      void waves(A_SECOND / 10, 100, (n, socket) => {
        socket.write(NONSENSE[n % NONSENSE.length] ?? '');
        socket.once('data', () => setTimeout(() => socket.destroy(), 100));
      });
  }
}

/** So many connections at all times: one that was closed is made anew. Resolves when all are there for the first time. */
async function hold(count: number, begin: Begin): Promise<void> {
  const missing = Array.from({ length: count }, (_, n) => n);
  let makers = 0;
  const make = async (): Promise<void> => {
    makers += 1;
    for (let n = missing.shift(); n !== undefined && !isOver; n = missing.shift()) {
      const socket = await made(n, begin);
      if (!socket.closed) socket.once('close', () => setTimeout(again, 1_000, n));
    }
    makers -= 1;
  };
  const again = (n: number): void => {
    missing.push(n);
    if (makers < AT_ONCE) void make();
  };
  await Promise.all(Array.from({ length: AT_ONCE }, make));
}

/** So many at once, again and again. */
async function waves(count: number, everyMs: number, begin: Begin): Promise<void> {
  for (let wave = 0; !isOver; wave++) {
    for (let n = 0; n < count; n++) void made(wave * count + n, begin);
    await sleep(everyMs);
  }
}

function count(outcome: string): void {
  outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
}

/** Resolves when it is connected and has begun, or cannot be. */
function made(n: number, begin: Begin): Promise<Socket> {
  // Two by two: what they send goes by whether `n` is even, and no address is to stand for one of both.
  const from = fromCallers ? {} : { localAddress: `127.0.1.${1 + (Math.floor(n / 2) % 200)}` };
  const socket = connect({ port, host: '127.0.0.1', ...from });
  let failure: string | undefined;
  const startedAt = performance.now();
  open.set(socket, undefined);
  connections += 1;
  socket.on('error', (error: NodeJS.ErrnoException) => {
    failure = error.code ?? error.name;
  });
  socket.on('data', (bytes: Buffer) => {
    const line = bytes.toString('latin1', 0, 12);
    // The one that matters is the last: a connection may have been answered before.
    if (line.startsWith('HTTP/1.1 ')) open.set(socket, line.slice(9));
  });
  socket.once('close', () => {
    const status = open.get(socket);
    open.delete(socket);
    if (isOver) return;
    count(status ?? failure ?? 'closed without a word');
    closedAfterMs.push(performance.now() - startedAt);
  });
  return new Promise((resolve) => {
    socket.once('connect', () => {
      heldAtMost = Math.max(heldAtMost, open.size);
      void Promise.resolve(begin(n, socket)).then(() => resolve(socket));
    });
    socket.once('close', () => resolve(socket));
  });
}
