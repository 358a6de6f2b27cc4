/**
 * Loaded before the script of a process that is measured (`node --import`): says where the process listens and, when
 * asked, how late its event loop was and what processor time it took. The process ends with the bench.
 */

import { subscribe } from 'node:diagnostics_channel';
import { Server } from 'node:net';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { isMainThread } from 'node:worker_threads';
import { LOOP_RESOLUTION_MS, say, type Told } from './media-messages.js';

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
      say({ kind: 'listening', url: `http://127.0.0.1:${address.port}` });
    }
  });
  process.on('message', (told: Told) => {
    switch (told.kind) {
      case 'settle':
        globalThis.gc?.();
        say({ kind: 'settled' });
        break;
      case 'reset':
        delay.reset();
        cpu = process.cpuUsage();
        say({ kind: 'reset' });
        break;
      case 'read':
        say({ kind: 'figures', loopP99Ms: delay.percentile(99) / 1e6, cpuMs: cpuMsSince(cpu) });
    }
  });
  process.once('disconnect', () => process.exit());
}

/** Of all threads of the process. */
function cpuMsSince(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}
