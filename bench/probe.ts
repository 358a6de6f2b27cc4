/**
 * Loaded before the script of a process that is measured (`node --import`), or by it: says where the process listens and, when
 * asked, how late its event loop was and what processor time it took. The process ends with the bench.
 */

import { subscribe } from 'node:diagnostics_channel';
import { Server } from 'node:net';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { isMainThread } from 'node:worker_threads';
import { LOOP_RESOLUTION_MS, type ProbeSaid, type ProbeTold, say } from './probe-messages.js';

/** Between two collections: what one sets free may hold, until a later turn of the loop, what only the next one takes. */
const PAUSE_MS = 200;

// Threads of the process load it, too: the loop that answers requests is that of the main one.
if (isMainThread) watch();

function watch(): void {
  const delay = monitorEventLoopDelay({ resolution: LOOP_RESOLUTION_MS });
  delay.enable();
  let cpu = process.cpuUsage();
  subscribe('tracing:net.server.listen:asyncEnd', (message) => {
    const { server } = message as { readonly server?: unknown };
    const address = server instanceof Server ? server.address() : null;
    if (address !== null && typeof address === 'object') {
      tell({ kind: 'listening', url: `http://127.0.0.1:${address.port}` });
    }
  });
  process.on('message', (told: ProbeTold) => {
    switch (told.kind) {
      case 'settle':
        void settle();
        break;
      case 'reset':
        delay.reset();
        cpu = process.cpuUsage();
        tell({ kind: 'reset' });
        break;
      case 'read':
        tell({
          kind: 'figures',
          loopP99Ms: delay.percentile(99) / 1e6,
          loopMaxMs: delay.max / 1e6,
          cpuMs: cpuMsSince(cpu),
        });
    }
  });
  process.once('disconnect', () => process.exit());
}

/** What is not needed is collected. `gc` without a word is the thorough one: with options it leaves what hung on sockets. */
async function settle(): Promise<void> {
  for (let times = 0; times < 3; times++) {
    globalThis.gc?.();
    await sleep(PAUSE_MS);
  }
  const { heapUsed, external } = process.memoryUsage();
  tell({ kind: 'settled', heapBytes: heapUsed, externalBytes: external });
}

function tell(said: ProbeSaid): void {
  say(said);
}

/** Of all threads of the process. */
function cpuMsSince(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}
