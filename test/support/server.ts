/** The HTTP layer alone, before a gateway of the test's own. */

import type { Gateway } from '../../src/gateway/gateway.js';
import { WINDOW_MS } from '../../src/http/plugins/limits.js';
import { buildServer, type HttpOptions } from '../../src/http/server.js';
import { RequestCounts } from '../../src/store/request-counts.js';
import { createLog } from '../../src/telemetry/log.js';

/** Counts requests where there are no other replicas. */
export const countedAlone = () => new RequestCounts({ count: null }, WINDOW_MS, () => undefined);

export async function serverFor(
  t: { teardown(fn: () => Promise<void>): unknown },
  gateway: Partial<Gateway>,
  write: (line: string) => void = () => {},
  change: Partial<HttpOptions> = {},
) {
  const server = await buildServer({
    gateway: gateway as Gateway,
    log: createLog('info', { write }),
    maxConnections: 1_000,
    connections: { opened() {}, closed() {}, dropped() {} },
    isTrustedProxy: null,
    isManagedElsewhere: false,
    takesPushes: false,
    auth: { callers: null, keyless: { isLocal: false, allowedHosts: [], publicUrl: null } },
    limits: { requestsPerMinute: 1_000, fails: 'open', counts: countedAlone() },
    uploadStallMs: 10_000,
    videoStallMs: 60_000,
    maxWaiters: 1_000,
    requireIdempotencyKey: false,
    publicUrl: null,
    metrics: { render: () => Promise.reject(new Error('not asked for')) },
    version: '0.0.0-test',
    ...change,
  });
  t.teardown(() => server.close());
  return server;
}
