/**
 * Ordinary callers, at fixed times, however long the answers take: what waits behind a stall is not left out. A process of
 * its own.
 */

import { Client, type Dispatcher, Pool } from 'undici';
import { KEYS, KINDS, type Kind, type OverloadSaid, type OverloadTold } from './overload-messages.js';
import { say } from './probe-messages.js';

const EVERY_MS = 10;
/** Of so many calls three are over a new connection, one makes an avatar, and one opens a stream. */
const IN_A_ROUND = 10;
const AUTHORIZATION = { authorization: `Bearer ${KEYS.shop}` };
const TIMEOUTS = { headersTimeout: 60_000, bodyTimeout: 60_000 };

const BODY = JSON.stringify({ image: 'https://example.com/face.jpg', audio_id: 'audio-1' });

let tookMs = empty();
let notOk: Record<string, number> = {};
let isMeasuring = false;
let origin = '';
/** Those that were planned in the measured time and are not answered: the slowest of all, perhaps. */
const pending = new Set<Promise<void>>();

process.once('disconnect', () => process.exit());
process.on('message', async (told: OverloadTold) => {
  if (told.kind === 'call') call(told.url, told.path);
  if (told.kind === 'measure') {
    tookMs = empty();
    notOk = {};
    isMeasuring = true;
    say<OverloadSaid>({ kind: 'measuring' });
  }
  if (told.kind === 'tell') {
    isMeasuring = false;
    await Promise.all(pending);
    say<OverloadSaid>({ kind: 'told', seen: { tookMs, notOk } });
  }
});

function call(url: string, path: string): void {
  origin = url;
  const pool = new Pool(url, TIMEOUTS);
  let plannedAt = performance.now();
  let count = 0;
  const callWhatIsDue = (): void => {
    for (; plannedAt <= performance.now(); plannedAt += EVERY_MS) {
      const kind = kindOf(count++);
      if (!isMeasuring) {
        void ask(kind, pool, path).catch(codeOf);
        continue;
      }
      const timing = timed(kind, plannedAt, pool, path);
      pending.add(timing);
      void timing.then(() => pending.delete(timing));
    }
    setTimeout(callWhatIsDue, plannedAt - performance.now());
  };
  callWhatIsDue();
}

function kindOf(count: number): Kind {
  const place = count % IN_A_ROUND;
  if (place === 0) return 'create';
  if (place === 5) return 'stream';
  return place % 3 === 0 ? 'read, new connection' : 'read';
}

async function timed(kind: Kind, plannedAt: number, pool: Pool, path: string): Promise<void> {
  const outcome = await ask(kind, pool, path).catch(codeOf);
  tookMs[kind].push(performance.now() - plannedAt);
  if (outcome !== (kind === 'create' ? '202' : '200')) notOk[outcome] = (notOk[outcome] ?? 0) + 1;
}

async function ask(kind: Kind, pool: Pool, path: string): Promise<string> {
  if (kind === 'create') {
    const headers = { ...AUTHORIZATION, 'content-type': 'application/json' };
    return statusOf(pool.request({ method: 'POST', path: '/avatars', headers, body: BODY }));
  }
  if (kind === 'read') return statusOf(pool.request({ method: 'GET', path, headers: AUTHORIZATION }));
  const client = new Client(origin, TIMEOUTS);
  try {
    if (kind === 'stream') return await firstEvent(client, `${path}/events`);
    return await statusOf(client.request({ method: 'GET', path, headers: AUTHORIZATION }));
  } finally {
    void client.destroy();
  }
}

async function firstEvent(client: Client, path: string): Promise<string> {
  const headers = { ...AUTHORIZATION, accept: 'text/event-stream' };
  const { statusCode, body } = await client.request({ method: 'GET', path, headers });
  // That it is broken off is no error.
  body.on('error', () => {});
  for await (const bytes of body) if (String(bytes).includes('event: avatar')) break;
  return String(statusCode);
}

async function statusOf(asked: Promise<Dispatcher.ResponseData>): Promise<string> {
  const { statusCode, body } = await asked;
  await body.dump();
  return String(statusCode);
}

function codeOf({ code, name }: NodeJS.ErrnoException): string {
  return code ?? name;
}

function empty(): Record<Kind, number[]> {
  return Object.fromEntries(KINDS.map((kind) => [kind, [] as number[]])) as Record<Kind, number[]>;
}
