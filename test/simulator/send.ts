import { type ServerResponse, STATUS_CODES } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { type BreakPoint, breakPoint, type FaultAction } from './faults.js';
import { type Answer, isObject, mergePatch } from './wire.js';

const PIECES = 10;

/** The answer a fault makes of another. */
export function alter(answer: Answer, action: FaultAction): Answer {
  const status = action.status ?? answer.status;
  const own = bodyOf(action);
  let body = own ?? answer.body;
  if (action.patch !== undefined) {
    body = Buffer.from(JSON.stringify(mergePatch(parse(body), action.patch)));
  }
  if (action.cut !== undefined) body = body.subarray(0, action.cut);
  if (action.pad !== undefined) body = Buffer.concat([body, Buffer.alloc(action.pad, ' ')]);
  return { status, headers: { ...answer.headers, ...lowerCased(action.headers ?? {}) }, body };
}

/** Puts an answer on the socket, whole, slowly, or as far as a fault lets it get. */
export async function send(res: ServerResponse, answer: Answer, action: FaultAction): Promise<void> {
  const point = breakPoint(action);
  if (point !== undefined) return breakOff(res, answer, point, action);
  const bodiless = res.req.method === 'HEAD' || answer.status === 204 || answer.status === 304;
  res.writeHead(answer.status, answer.status === 204 ? answer.headers : headersOf(answer));
  if (action.slow !== undefined && !bodiless) await trickle(res, answer.body, action.slow);
  res.end(bodiless || action.slow !== undefined ? undefined : answer.body);
}

async function breakOff(
  res: ServerResponse,
  answer: Answer,
  point: BreakPoint,
  action: FaultAction,
): Promise<void> {
  const { socket } = res;
  if (socket === null) return;
  if (point === 'mid-head') {
    const head = `HTTP/1.1 ${answer.status} ${STATUS_CODES[answer.status] ?? ''}\r\nContent-Ty`;
    await new Promise<void>((resolve) => socket.write(head, () => resolve()));
  }
  if (point === 'mid-body') {
    res.writeHead(answer.status, headersOf(answer));
    const half = answer.body.subarray(0, Math.ceil(answer.body.length / 2));
    await new Promise<void>((resolve) => res.write(half, () => resolve()));
  }
  if (action.reset !== undefined) socket.resetAndDestroy();
  else if (action.close !== undefined) socket.destroySoon();
}

async function trickle(res: ServerResponse, body: Buffer, pause: number): Promise<void> {
  const size = Math.max(1, Math.ceil(body.length / PIECES));
  for (let start = 0; start < body.length && !res.destroyed; start += size) {
    if (start > 0) await sleep(pause);
    res.write(body.subarray(start, start + size));
  }
}

function bodyOf(action: FaultAction): Buffer | null {
  if (action.body !== undefined) {
    return Buffer.from(typeof action.body === 'string' ? action.body : JSON.stringify(action.body));
  }
  // A status on its own says what Modellix would say with it.
  if (action.status === undefined || action.patch !== undefined) return null;
  return Buffer.from(JSON.stringify({ code: action.status, message: messageOf(action.status), data: {} }));
}

function messageOf(status: number): string {
  return status === 401
    ? 'Authentication failed: injected by the simulator'
    : `${STATUS_CODES[status] ?? 'Unknown'}: injected by the simulator`;
}

function headersOf(answer: Answer): Record<string, string> {
  return { ...answer.headers, 'content-length': String(answer.body.length) };
}

function lowerCased(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}

function parse(body: Buffer): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(body.toString());
    return isObject(value) ? value : {};
  } catch {
    return {};
  }
}
