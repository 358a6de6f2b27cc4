/** A way to Redis that a test can break at one command: before Redis hears it, or before its answer is heard. */

import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import type { Status } from '../../src/domain/avatar.js';
import { SCHEMA } from '../../src/store/record.js';
import { MARKS } from '../../src/store/redis/marks.js';
import type { Teardown } from '../support/redis.js';

export interface Way {
  readonly url: string;
  /**
   * What becomes of the next command that holds `text`: `hold` stops it and all that follows on its connection,
   * `cut` ends the connection; the `request`, so that it is not done, or the `reply`, when it is done.
   * Resolves when that has happened. One at a time.
   */
  break(text: string, what: 'hold' | 'cut', which: 'request' | 'reply'): Promise<void>;
  /** Lets go on what is held. */
  release(): void;
}

interface Break {
  readonly text: string;
  readonly what: 'hold' | 'cut';
  readonly which: 'request' | 'reply';
  readonly done: () => void;
}

export async function wayTo(t: Teardown, port: number): Promise<Way> {
  let armed: Break | null = null;
  let held: (() => void)[] = [];
  const sockets = new Set<Socket>();

  const proxy = createServer((near) => {
    const far = connect(port, '127.0.0.1');
    let sprung: Break | null = null;
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => {
        sockets.delete(socket);
        near.destroy();
        far.destroy();
      });
    }
    /** Passes it on, or does with it as the break says. Nothing is passed on after it that was held. */
    const meet = (which: Break['which'], pass: () => void): void => {
      if (sprung?.which !== which) {
        pass();
        return;
      }
      sprung.done();
      if (sprung.what === 'cut') near.destroy();
      else
        held.push(() => {
          sprung = null;
          pass();
        });
    };
    near.on('data', (command: Buffer) => {
      if (armed !== null && command.includes(armed.text)) {
        sprung = armed;
        armed = null;
      }
      meet('request', () => far.write(command));
    });
    far.on('data', (reply: Buffer) => meet('reply', () => near.write(reply)));
    near.on('close', () => sprung?.done());
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
    proxy.close();
  });
  return {
    url: `redis://127.0.0.1:${(proxy.address() as AddressInfo).port}`,
    break: (text, what, which) =>
      new Promise((done) => {
        armed = { text, what, which, done };
      }),
    release() {
      for (const pass of held) pass();
      held = [];
    },
  };
}

/** How the write begins that makes an avatar, and begins its submit where nobody waits before it. */
export const MADE = `\r\n${MARKS.queued} 0 `;

/** What begins a submit holds, {@link MADE} or that of one that waited: the terms of a key, which end in the document they follow from. */
export const INTENT = ' limits-3\n';

/** How the write of a record in a status begins that is not final. */
export const inStatus = (status: Status): string => `\r\n${MARKS[status]} `;

/** How the write of a final record begins: that is packed. */
export const FINAL = `\n${SCHEMA} z`;
