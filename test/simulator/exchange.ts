import type { IncomingMessage, ServerResponse } from 'node:http';
import { bearerOf } from './accounts.js';
import { breakPoint, endsCall, type Faults } from './faults.js';
import type { Ledger } from './ledger.js';
import { alter, send } from './send.js';
import { MAX_BODY_BYTES, type Service } from './service.js';
import type { Tasks } from './tasks.js';
import { Refusal, refused, routeOf } from './wire.js';

export interface ExchangeParts {
  readonly service: Service;
  readonly faults: Faults;
  readonly tasks: Tasks;
  readonly ledger: Ledger;
}

/** What is answered, as a fault has it, where the call takes no effect. */
const INJECTED = refused(new Refusal(500, 'Internal error: injected by the simulator'));

/** One call from its head to its end: entered in the books, met by faults, served. */
export async function exchange(
  req: IncomingMessage,
  res: ServerResponse,
  url: URL,
  parts: ExchangeParts,
): Promise<void> {
  const { service, faults, tasks, ledger } = parts;
  const route = routeOf(url.pathname);
  const gone = new AbortController();
  const entry = ledger.arrived({
    kind: route.kind,
    method: req.method ?? '',
    path: url.pathname,
    key: bearerOf(req.headers.authorization),
    taskId: route.kind === 'query' || route.kind === 'result' ? route.taskId : null,
    headers: req.headers,
  });
  res.once('close', () => {
    gone.abort();
    entry.status = res.headersSent ? res.statusCode : null;
    ledger.ended(entry);
  });

  const before = faults.take('before', entry);
  const action = before?.fault.do ?? {};
  const body = breakPoint(action) === 'request' ? Buffer.alloc(0) : await readBody(req);
  if (body === null) return;
  await before?.wait(entry);
  if (endsCall(action)) return send(res, alter(INJECTED, action), action);

  const { answer, task } = await service.serve({
    route,
    method: req.method ?? '',
    query: url.searchParams,
    headers: req.headers,
    body,
    signal: gone.signal,
    entry,
  });
  entry.taskId = task?.id ?? entry.taskId;
  const after = answer.status < 400 ? faults.take('after', entry) : undefined;
  await after?.wait(entry);
  const alteration = after?.fault.do ?? {};
  if (alteration.fate !== undefined && task !== null) tasks.settle(task, alteration.fate);
  return send(res, alter(answer, alteration), alteration);
}

/** The body, or `null` when the caller went away while sending it. What is over the limit is read, but not kept. */
export async function readBody(req: IncomingMessage): Promise<Buffer | null> {
  const chunks: Buffer[] = [];
  let kept = 0;
  try {
    for await (const chunk of req) {
      if (!Buffer.isBuffer(chunk)) continue;
      if (kept > MAX_BODY_BYTES) continue;
      chunks.push(chunk);
      kept += chunk.length;
    }
  } catch {
    return null;
  }
  return Buffer.concat(chunks);
}
