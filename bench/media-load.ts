/** Posts the bodies. A process: it makes them once, and then does one job after another as it is told. */

import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { Client } from 'undici';
import { makeBodies } from './media-files.js';
import { codeOf, type Job, type Loaded, type Said, type Told } from './media-messages.js';
import type { Probed } from './media-prober.js';
import { say } from './probe-messages.js';

const ANSWER_TIMEOUT_MS = 60_000;
/** After an error, before the next body. */
const PAUSE_MS = 50;
const TAKEN: ReadonlySet<number> = new Set([200, 202]);

const bodies = makeBodies();
process.once('disconnect', () => process.exit());
process.on('message', async (told: Told) => {
  if (told.kind === 'load') say<Said>({ kind: 'loaded', loaded: await load(told.job) });
});
say<Said>({
  kind: 'ready',
  bodyBytes: { json: bodies.json.bytes.length, multipart: bodies.multipart.bytes.length },
});

async function load({ body, postUrl, getUrl, connections, warmUpMs, measureMs }: Job): Promise<Loaded> {
  const { contentType, bytes } = bodies[body];
  const { origin, pathname } = new URL(postUrl);
  const notOk: Record<string, number> = {};
  let phase: 'warm-up' | 'measured' | 'over' = 'warm-up';
  let taken = 0;

  const post = async (client: Client): Promise<string> => {
    const answer = await client.request({
      method: 'POST',
      path: pathname,
      headers: { 'content-type': contentType, 'idempotency-key': randomUUID() },
      body: bytes,
      headersTimeout: ANSWER_TIMEOUT_MS,
    });
    return outcomeOf(answer.statusCode, await answer.body.text());
  };
  const connection = async (): Promise<void> => {
    const client = new Client(origin);
    while (phase !== 'over') {
      const outcome = await post(client).catch(codeOf);
      if (phase === 'measured' && outcome === 'ok') taken += 1;
      if (outcome !== 'ok') notOk[outcome] = (notOk[outcome] ?? 0) + 1;
      if (outcome !== 'ok') await sleep(PAUSE_MS);
    }
    await client.close();
  };

  const prober = new Worker(new URL('./media-prober.js', import.meta.url), { workerData: getUrl });
  const probed = once(prober, 'message');
  const posting = Array.from({ length: connections }, connection);
  await sleep(warmUpMs);
  phase = 'measured';
  prober.postMessage('measure');
  say<Said>({ kind: 'measuring' });
  await sleep(measureMs);
  phase = 'over';
  prober.postMessage('end');
  say<Said>({ kind: 'measured' });
  await Promise.all(posting);
  const [{ getsMs, notOk: getsNotOk }] = (await probed) as [Probed];
  await prober.terminate();
  for (const [what, count] of Object.entries(getsNotOk)) notOk[`GET: ${what}`] = count;
  return { bodies: taken, notOk, getsMs };
}

/** An avatar that waits in the queue was not forwarded yet: it does not count. */
function outcomeOf(status: number, text: string): string {
  if (!TAKEN.has(status)) return String(status);
  const { status: word } = JSON.parse(text) as { readonly status?: string };
  return word === 'queued' || word === 'submitting' ? `${status} ${word}` : 'ok';
}
