/** Waits, and notes when it was told. A process: many connections, one thread. */

// How late this loop is counts as well. Not loaded before: what is told then would be heard by it alone.
import './probe.js';
import { say } from './probe-messages.js';
import { EventStream, type Listener, LongPoll, type Target, WAIT_SECONDS } from './wait-client.js';
import { monotonicMs, type Seen, type WaitSaid, type Waits, type WaitTold } from './wait-messages.js';

/** Connections that are made at once: more than the gateway has room for in its backlog would be tried again after a second. */
const AT_ONCE = 100;

let ends = new Map<string, { count: number; lastAt: number }>();
let next: Readonly<Record<string, string>> = {};
let notOk: Record<string, number> = {};
let sent = 0;
const open: (LongPoll | EventStream)[] = [];

const listener: Listener = {
  sent() {
    sent += 1;
  },
  ended(id) {
    const { count } = ends.get(id) ?? { count: 0 };
    ends.set(id, { count: count + 1, lastAt: monotonicMs() });
    return next[id];
  },
  notOk(what) {
    notOk[what] = (notOk[what] ?? 0) + 1;
  },
};

process.on('message', async (told: WaitTold) => {
  switch (told.kind) {
    case 'open':
      await openAll(told.waits);
      say<WaitSaid>({ kind: 'opened' });
      break;
    case 'watch':
      next = told.next;
      ends = new Map();
      notOk = {};
      sent = 0;
      say<WaitSaid>({ kind: 'watching' });
      break;
    case 'tell': {
      const seen: Seen = { ends: Object.fromEntries(ends), sent, notOk };
      say<WaitSaid>({ kind: 'told', seen });
      break;
    }
    case 'close':
      await Promise.all(open.splice(0).map((each) => each.close()));
      say<WaitSaid>({ kind: 'closed' });
  }
});

async function openAll({ port, from, polls, areSpread, streams, feeds }: Waits): Promise<void> {
  const firstSeconds = (n: number) =>
    areSpread ? 1 + Math.floor((n * WAIT_SECONDS) / polls.length) : WAIT_SECONDS;
  const begin: ((target: Target) => Promise<void>)[] = [
    ...polls.map(
      (id, n) => (target: Target) => keep(new LongPoll(target, listener, id, firstSeconds(n))).opened,
    ),
    ...[...streams, ...new Array<null>(feeds).fill(null)].map(
      (id) => (target: Target) => keep(new EventStream(target, listener, id)).begun,
    ),
  ];
  let at = 0;
  const opener = async (): Promise<void> => {
    for (let n = at++; n < begin.length; n = at++) {
      await begin[n]?.({ port, localAddress: from[n % from.length] ?? '127.0.0.1' });
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, opener));
}

function keep<T extends LongPoll | EventStream>(each: T): T {
  open.push(each);
  return each;
}
