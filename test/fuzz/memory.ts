/** How much memory this thread holds after everything that can go has gone. */

import { setTimeout } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

const SWEEP_MS = 100;

export async function heldBytes(): Promise<number> {
  collect();
  // What buffers held is given back by another thread.
  await setTimeout(SWEEP_MS);
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
