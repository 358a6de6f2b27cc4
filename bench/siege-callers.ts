/**
 * Ordinary callers, at fixed times, however long the answers take: what waits behind a stall is not left out. A process of
 * its own.
 */

import { Client, type Dispatcher, Pool } from 'undici';
import { say } from './probe-messages.js';
import { KINDS, type Kind, type SiegeSaid, type SiegeTold } from './siege-messages.js';

const EVERY_MS = 10;
/** Of so many calls three are over a new connection, and one makes an avatar. */
const IN_A_ROUND = 10;
const TIMEOUTS = { headersTimeout: 60_000, bodyTimeout: 60_000 };

const BODY = JSON.stringify({ image: 'https://example.com/face.jpg', audio_id: 'audio-1' });

let tookMs = empty();
let notOk: Record<string, number> = {};
let isMeasuring = false;
let origin = '';
/** Those that were planned in the measured time and are not answered: the slowest of all, perhaps. */
const pending = new Set<Promise<void>>();

process.once('disconnect', () => process.exit());
process.on('message', async (told: SiegeTold) => {
  if (told.kind === 'call') call(told.url, told.path);
  if (told.kind === 'measure') {
    tookMs = empty();
    notOk = {};
    isMeasuring = true;
    say<SiegeSaid>({ kind: 'measuring' });
  }
  if (told.kind === 'tell') {
    isMeasuring = false;
    await Promise.all(pending);
    say<SiegeSaid>({ kind: 'told', seen: { tookMs, notOk } });
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
  return place % 3 === 0 ? 'read, new connection' : 'read';
}

async function timed(kind: Kind, plannedAt: number, pool: Pool, path: string): Promise<void> {
  const outcome = await ask(kind, pool, path).catch(codeOf);
  tookMs[kind].push(performance.now() - plannedAt);
  if (outcome !== (kind === 'create' ? '202' : '200')) notOk[outcome] = (notOk[outcome] ?? 0) + 1;
}

async function ask(kind: Kind, pool: Pool, path: string): Promise<string> {
  if (kind === 'create') {
    const headers = { 'content-type': 'application/json' };
    return statusOf(pool.request({ method: 'POST', path: '/avatars', headers, body: BODY }));
  }
  if (kind === 'read') return statusOf(pool.request({ method: 'GET', path }));
  const client = new Client(origin, TIMEOUTS);
  try {
    return await statusOf(client.request({ method: 'GET', path }));
  } finally {
    void client.close();
  }
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
