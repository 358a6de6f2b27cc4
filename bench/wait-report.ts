/** What was measured of those who wait, as Markdown, and whether the goals are met. */

import { table } from './page.js';
import { LOOP_RESOLUTION_MS } from './probe-messages.js';
import { CALLBACKS_A_MINUTE, type CallbacksSeen, RECEIVERS } from './wait-callbacks.js';
import type { Loop } from './wait-tell.js';
import type { Idle, WaitersSeen } from './wait-waiters.js';

const MAX_BYTES = 12_000;
const MAX_TOLD_P99_MS = 250;
/** Two replicas that ask for work once more in one of the two times run so many scripts. */
const ONE_PASS = 6;
/** What is meant by on time. */
const MAX_CALLBACK_P99_MS = 1_000;

export function report(waiters: readonly WaitersSeen[], callbacks: readonly CallbacksSeen[]): string {
  const parts = [goals(waiters, callbacks)];
  if (waiters.length > 0) parts.push(memory(waiters), telling(waiters), ...waiters.flatMap(reads));
  if (callbacks.length > 0) parts.push(late(callbacks));
  return parts.join('\n\n');
}

function goals(waiters: readonly WaitersSeen[], callbacks: readonly CallbacksSeen[]): string {
  const rows = [
    ...waiters.flatMap((seen) => [
      ...seen.weights
        .filter(({ isGoal }) => isGoal)
        .map(({ what, rss, waiters }) => [
          `at most ${kilobytes(MAX_BYTES)} a waiter, of RSS`,
          `${seen.store}: ${what}`,
          kilobytes(rss / waiters),
          verdict(rss / waiters <= MAX_BYTES),
        ]),
      ...seen.tellings.map(({ what, lastToldMs, missed }) => [
        `p99 from a change to the last one told at most ${MAX_TOLD_P99_MS} ms`,
        `${seen.store}: ${what}`,
        `${ms(quantile(lastToldMs, 0.99))}${missed === 0 ? '' : `, ${missed} NOT told`}`,
        verdict(quantile(lastToldMs, 0.99) <= MAX_TOLD_P99_MS && missed === 0),
      ]),
      ...(seen.idle === null
        ? []
        : [
            [
              'no read of the store while nothing changes',
              `${seen.store}: ${seen.idle.seconds} s`,
              `${unasked(seen.idle)} that nobody asked for`,
              verdict(unasked(seen.idle) <= ONE_PASS),
            ],
          ]),
    ]),
    ...callbacks.map((seen) => [
      `${CALLBACKS_A_MINUTE} callbacks a minute, a tenth of the receivers dead: p99 of the rest within ${MAX_CALLBACK_P99_MS} ms`,
      `${seen.store}: ${seen.callbacks} in ${seen.seconds.toFixed(0)} s`,
      `${ms(quantile(seen.latenessMs, 0.99))}, ${seen.latenessMs.length} of ${seen.toLiving} told`,
      verdict(
        seen.latenessMs.length === seen.toLiving && quantile(seen.latenessMs, 0.99) <= MAX_CALLBACK_P99_MS,
      ),
    ]),
  ];
  return table(['goal', 'where', 'measured', ''], rows);
}

function memory(all: readonly WaitersSeen[]): string {
  const rows = all.flatMap(({ store, weights }) =>
    weights.map(({ what, waiters, rss, heapAndExternal }) => [
      store,
      what,
      String(waiters),
      `${(rss / 1e6).toFixed(1)} MB`,
      `**${kilobytes(rss / waiters)}**`,
      kilobytes(heapAndExternal / waiters),
    ]),
  );
  return table(['store', 'who waits', 'waiters', 'RSS', 'RSS each', 'heap and external each'], rows);
}

function telling(all: readonly WaitersSeen[]): string {
  const head = [
    'store',
    'who is told',
    'changes',
    'last one told: p50',
    'p99',
    'longest',
    'until the change was answered: p50',
    'p99',
    'loop of the gateway: p99, longest',
    'of the load',
    'not told, twice',
  ];
  const rows = all.flatMap(({ store, tellings }) =>
    tellings.map(({ what, lastToldMs, answeredMs, gatewayLoop, loadLoop, missed, twice }) => [
      store,
      what,
      String(lastToldMs.length),
      ms(quantile(lastToldMs, 0.5)),
      `**${ms(quantile(lastToldMs, 0.99))}**`,
      ms(Math.max(...lastToldMs)),
      ms(quantile(answeredMs, 0.5)),
      ms(quantile(answeredMs, 0.99)),
      loop(gatewayLoop),
      loop(loadLoop),
      `${missed}, ${twice}`,
    ]),
  );
  return `${table(head, rows)}

The time runs from when the change is sent, so it includes the write of it. The delays of the event loops include the
${LOOP_RESOLUTION_MS} ms between two of their measurements; those of the load are part of the time.`;
}

function reads({ store, idle, notOk }: WaitersSeen): string[] {
  const parts: string[] = [];
  if (idle !== null) {
    const names = [...new Set([...Object.keys(idle.alone), ...Object.keys(idle.withWaiters)])].sort();
    const rows = names.map((name) => [
      name,
      String(idle.alone[name] ?? 0),
      String(idle.withWaiters[name] ?? 0),
    ]);
    rows.push(['all', String(total(idle.alone)), String(total(idle.withWaiters))]);
    parts.push(
      `${table([`commands at ${store} in ${idle.seconds} s`, 'nobody waits', 'all wait'], rows)}

Both replicas ask for work by themselves. Meanwhile ${idle.asked} of those who wait asked anew, each of which is one read.`,
    );
  }
  const odd = Object.entries(notOk).map(([what, count]) => `${count} x ${what}`);
  if (odd.length > 0) parts.push(`**NOT ok** on ${store}: ${odd.join(', ')}.`);
  return parts;
}

function late(all: readonly CallbacksSeen[]): string {
  const { living, silent, refusing } = RECEIVERS;
  const head = [
    'store',
    'ends',
    'to living',
    'told',
    'late: p50',
    'p99',
    'longest',
    'told again',
    'tries at the silent one',
  ];
  const rows = all.map(({ store, callbacks, toLiving, latenessMs, again, inVain }) => [
    store,
    String(callbacks),
    String(toLiving),
    String(latenessMs.length),
    ms(quantile(latenessMs, 0.5)),
    `**${ms(quantile(latenessMs, 0.99))}**`,
    ms(Math.max(...latenessMs)),
    String(again),
    String(inVain),
  ]);
  return `${table(head, rows)}

${living} receivers answer, ${silent} takes connections and never does, ${refusing} refuses them; each has as many callbacks as another. Late is
from the end of an avatar, by its \`timestamp\`, to the arrival of the message.`;
}

/** Scripts that ran because somebody waits, and not because he asked: each read of the store is one. */
function unasked({ alone, withWaiters, asked }: Idle): number {
  return Math.max(0, (withWaiters.evalsha ?? 0) - (alone.evalsha ?? 0) - asked);
}

function total(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}

/** The smallest one that so large a share is not above. */
function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;
}

function ms(value: number): string {
  return `${value.toFixed(value < 10 ? 1 : 0)} ms`;
}

function loop({ p99Ms, maxMs }: Loop): string {
  return `${p99Ms.toFixed(0)}, ${maxMs.toFixed(0)} ms`;
}

function kilobytes(bytes: number): string {
  return `${(bytes / 1000).toFixed(1)} kB`;
}

function verdict(met: boolean): string {
  return met ? 'met' : '**NOT met**';
}
