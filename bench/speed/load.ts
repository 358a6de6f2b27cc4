/** Requests on so many connections, one after the other on each. A process; it ends with the bench. */

import autocannon from 'autocannon';
import type { Job, Loaded, LoadSaid, LoadTold } from './messages.js';
import { quantile } from './ratios.js';

/** In ms: how late the end of a job is noticed, at most. */
const TICK_MS = 50;

/** Autocannon keeps whole milliseconds, which is more than most answers take: the times are kept here. */
async function load({ url, method, headers, body, connections, length }: Job): Promise<Loaded> {
  const tookMs: number[] = [];
  const statuses: Record<string, number> = {};
  let [first, last] = [0, 0];
  const options: autocannon.Options = {
    url,
    method,
    headers: { ...headers },
    ...(body === undefined ? {} : { body }),
    connections,
    ...('seconds' in length ? { duration: length.seconds } : { amount: length.answers }),
    sampleInt: TICK_MS,
  };
  const { errors } = await new Promise<autocannon.Result>((resolve, reject) => {
    const running = autocannon(options, (error, result) => (error ? reject(error) : resolve(result)));
    running.on('response', (_client, status, _bytes, ms) => {
      last = performance.now();
      if (tookMs.length === 0) first = last;
      tookMs.push(ms);
      statuses[status] = (statuses[status] ?? 0) + 1;
    });
  });
  const sorted = Float64Array.from(tookMs).sort();
  return {
    answers: tookMs.length,
    perSecond: (1000 * (tookMs.length - 1)) / (last - first),
    p50Ms: quantile(sorted, 0.5),
    p99Ms: quantile(sorted, 0.99),
    statuses,
    errors,
  };
}

process.on('message', async ({ job }: LoadTold) => {
  const said: LoadSaid = { kind: 'loaded', loaded: await load(job) };
  process.send?.(said);
});
process.once('disconnect', () => process.exit());
