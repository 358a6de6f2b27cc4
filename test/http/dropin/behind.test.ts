/** One gateway before another: what the outer one takes for Modellix is the inner one's drop-in. */

import t from 'tap';
import { ApiKey } from '../../../src/modellix/api-key.js';
import { clientFor } from '../../modellix/support.js';
import { SUBMIT_PATHS } from '../../simulator/simulator.js';
import { startApp } from '../../support/app.js';
import { createAvatar, GOOD, portrait, postJson, readAvatar, speech } from '../../support/requests.js';
import { until } from '../../support/until.js';
import { FIRST_PATH } from './support.js';

/** Longer than the grace of the gateway behind it, however slow this machine is. */
const PATIENT = { submitTimeoutMs: 120_000, queryTimeoutMs: 120_000 };

const finished = (url: string, id: string) =>
  until('the end', async () => {
    const avatar = await readAvatar(url, id);
    return avatar.completed_at === null ? null : avatar;
  });

t.test('our client of Modellix reads every answer', async (t) => {
  const { url, simulator } = await startApp(t);
  const client = clientFor(t, url);
  const key = new ApiKey('any');
  const image = { bytes: portrait };
  const audio = { soundFile: { bytes: speech } };
  for (const path of SUBMIT_PATHS) {
    const { outcome, limits } = await clientFor(t, url, PATIENT).submit(
      key,
      { image, audio, prompt: 'She smiles.', mode: 'pro' },
      { path, traceparent: null },
    );
    if (outcome.kind !== 'accepted') throw new Error(`${path}: ${JSON.stringify(outcome)}`);
    t.match(limits, { limit: 1_000_000, remaining: Number, resetInMs: Number });
    t.ok((limits.resetInMs ?? 0) <= 62_000, 'the reset is a time');

    const { taskId } = outcome;
    t.match((await client.query(key, taskId)).outcome, { kind: 'unfinished', status: 'pending' });
    const end = path === SUBMIT_PATHS[0] ? 'success' : 'failed';
    simulator.settle(String((await readAvatar(url, taskId)).task_id), { end });
    await finished(url, taskId);
    const seen = (await client.query(key, taskId)).outcome;
    if (end === 'failed') t.match(seen, { kind: 'failure', message: /^Generation failed/ });
    else {
      const named = `${url}/avatars/${taskId}/video/${taskId}.mp4`;
      const resource = { url: new RegExp(`^${named}\\?expires=\\d+&signature=`), width: 720, format: 'mp4' };
      t.match(seen, { kind: 'success', resource, expiresAt: Number });
    }
  }
  const bad = { image: { base64: Buffer.from('aGFsbG8=') }, audio, prompt: null, mode: 'std' } as const;
  t.match((await client.submit(key, bad, { path: FIRST_PATH, traceparent: null })).outcome, {
    kind: 'refused',
    status: 400,
    message: /^Invalid format: image /,
    reason: null,
    limit: null,
  });
  t.match((await client.query(key, 'av_none')).outcome, { kind: 'missing' });
  t.ok(await client.probe(key));
});

t.test('an avatar through two gateways', async (t) => {
  const inner = await startApp(t);
  const outer = await startApp(t, { modellix: { baseUrl: inner.url, longPollMs: 45_000, ...PATIENT } });
  const made = await postJson(outer.url, { ...GOOD, prompt: 'She smiles.' });
  t.equal(made.status, 202);
  const { id } = (await made.json()) as { id: string };
  // The threads that look at media are cold in both, which may take longer than the grace.
  const task_id = await until('a task', async () => (await readAvatar(outer.url, id)).task_id);
  const behind = await readAvatar(inner.url, task_id);
  t.equal(behind.prompt, 'She smiles.');
  inner.simulator.settle(String(behind.task_id), { end: 'success' });
  t.equal((await finished(outer.url, id)).status, 'succeeded');
  const video = async (url: string, of: string) => (await fetch(`${url}/avatars/${of}/video`)).arrayBuffer();
  t.strictSame(await video(outer.url, id), await video(inner.url, task_id));
  t.equal(inner.simulator.ledger().length, 1);
});

t.test('an inner queue that is full is waited for, and nothing is paid twice', async (t) => {
  const queueBounds = { maxAvatars: 1, maxBytes: 1e12 };
  const inner = await startApp(t, { limits: { tasks: 1 }, gateway: { queueBounds } });
  const outer = await startApp(t, {
    modellix: { baseUrl: inner.url, ...PATIENT },
    gateway: { submitGraceMs: 100 },
  });
  const { id: atModellix } = await createAvatar(outer.url);
  const { id: behind } = await createAvatar(outer.url);
  const { id: here } = await createAvatar(outer.url);
  const becomes = (id: string, status: string) =>
    until(status, async () => ((await readAvatar(outer.url, id)).status === status ? true : null));
  await Promise.all([becomes(atModellix, 'pending'), becomes(behind, 'pending')]);
  await until('a refusal by the inner gateway', async () =>
    outer.logLines().some((line) => line.includes('"outcome":"refused"')) ? true : null,
  );
  await becomes(here, 'queued');
  t.equal(inner.simulator.ledger().length, 1);
});
