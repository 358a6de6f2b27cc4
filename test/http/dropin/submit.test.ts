import t from 'tap';
import { SUBMIT_PATHS } from '../../simulator/simulator.js';
import { startApp } from '../../support/app.js';
import { redisUrl } from '../../support/redis.js';
import { createAvatar, GOOD, postJson, readAvatar, URLS } from '../../support/requests.js';
import { until } from '../../support/until.js';
import { dataOf, readTask, refused, submitTask } from './support.js';

const keyed = (key: string) => ({ headers: { 'idempotency-key': key } });

for (const store of ['embedded', 'redis'] as const) {
  t.test(`${store}: one avatar, seen from both sides`, async (t) => {
    const redis = store === 'redis' ? { redis: await redisUrl(t) } : {};
    const { url, simulator, logLines } = await startApp(t, redis);

    await t.test('submitted as a task, read as an avatar', async (t) => {
      const data = await dataOf(t, await submitTask(url, { ...GOOD, prompt: 'She smiles.', mode: 'pro' }));
      const { task_id } = data;
      t.strictSame(data, {
        status: 'pending',
        task_id,
        model_id: 'kling-avatar',
        get_result: { method: 'GET', url: `${url}/api/v1/tasks/${task_id}` },
      });
      const avatar = await readAvatar(url, String(task_id));
      t.match(avatar, { status: 'pending', prompt: 'She smiles.', mode: 'pro', external_id: null });
      t.not(avatar.task_id, task_id, 'the task at Modellix has another id');
      simulator.settle(String(avatar.task_id), { end: 'success' });
      await until('success', async () =>
        (await readTask(t, url, task_id)).status === 'success' ? true : null,
      );
      t.match(await readAvatar(url, String(task_id)), { status: 'succeeded' });
    });

    await t.test('made as an avatar, read as a task', async (t) => {
      const { id, task_id } = await createAvatar(url);
      t.strictSame(await readTask(t, url, id), {
        status: 'pending',
        task_id: id,
        model_id: 'kling-avatar',
      });
      simulator.settle(String(task_id), { end: 'failed', reason: 'Generation failed: no face' });
      const failed = await until('failed', async () => {
        const data = await readTask(t, url, id);
        return data.status === 'failed' ? data : null;
      });
      t.match(failed, { error: 'Generation failed: no face', message: 'Generation failed: no face' });
    });

    await t.test('one idempotency key for both', async (t) => {
      const before = simulator.ledger().length;
      const first = await submitTask(url, GOOD, keyed('k'));
      t.equal(first.headers.get('idempotent-replayed'), null);
      const { task_id } = await dataOf(t, first);
      const again = await submitTask(url, { mode: 'std', ...GOOD }, keyed('"k"'));
      t.equal(again.headers.get('idempotent-replayed'), 'true');
      t.equal((await dataOf(t, again)).task_id, task_id);
      t.match(await (await postJson(url, GOOD, { 'idempotency-key': 'k' })).json(), { id: task_id });
      t.equal(simulator.ledger().length, before + 1, 'it was paid for once');
      const other = await submitTask(url, { ...GOOD, mode: 'pro' }, keyed('k'));
      t.match(await refused(t, other, 422, 'another request'), /^Invalid parameters: .*Idempotency-Key/);
    });

    t.notMatch(logLines().join('\n'), 'a-key-of-the-caller');
    t.notMatch(JSON.stringify(simulator.calls()), 'a-key-of-the-caller');
  });
}

t.test('what a submit may look like', async (t) => {
  const { url, simulator } = await startApp(t);
  const last = () => simulator.ledger().at(-1);

  await t.test('every path that Modellix has had', async (t) => {
    for (const path of SUBMIT_PATHS) {
      const { task_id } = await dataOf(t, await submitTask(url, URLS, { path }));
      t.match(await readTask(t, url, task_id), { status: 'pending' }, path);
    }
  });

  await t.test('null is as good as not sent, and a data: URI as base64', async (t) => {
    await dataOf(t, await submitTask(url, GOOD));
    const plain = last()?.sha256;
    const bodies = {
      nulls: { ...GOOD, audio_id: null, prompt: null, mode: null, callback_url: null },
      'data: URIs': {
        image: `data:image/jpeg;base64,${GOOD.image}`,
        sound_file: `data:audio/mpeg;base64,${GOOD.sound_file}`,
      },
    };
    for (const [name, body] of Object.entries(bodies)) {
      await dataOf(t, await submitTask(url, body));
      t.equal(last()?.sha256, plain, name);
    }
  });

  await t.test('without a key, with parameters nobody knows, and with a Content-Type on a GET', async (t) => {
    const response = await fetch(`${url}/api/v1/kling/kling-avatar?x=1`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(URLS),
    });
    const { task_id } = await dataOf(t, response);
    const read = await fetch(`${url}/api/v1/tasks/${task_id}?x=1`, {
      headers: { 'content-type': 'application/json' },
    });
    t.match(await dataOf(t, read), { task_id });
  });

  await t.test('megabytes of base64', async (t) => {
    const sound = Buffer.alloc(4_900_000, 'A').toString('base64');
    const refusal = await submitTask(url, { image: GOOD.image, sound_file: sound });
    t.match(await refused(t, refusal, 400, 'large and no sound'), /^Invalid format: sound_file \S/);
    const tooLarge = await submitTask(url, { ...GOOD, image: 'A'.repeat(25_000_000) });
    await refused(t, tooLarge, 413, 'larger than anything that is allowed');
  });
});

t.test('a task has its id while it waits for its turn', async (t) => {
  const { url, simulator } = await startApp(t, { limits: { tasks: 1 } });
  await dataOf(t, await submitTask(url, URLS));
  const data = await dataOf(t, await submitTask(url, URLS));
  t.equal(data.status, 'pending');
  t.match(await readAvatar(url, String(data.task_id)), { status: 'queued', queue: { position: 1 } });
  t.match(await readTask(t, url, data.task_id), { status: 'pending', task_id: data.task_id });
  t.equal(simulator.ledger().length, 1);
});

t.test('where keys are asked for, they are asked for here', async (t) => {
  const { url } = await startApp(t, { requireIdempotencyKey: true });
  const message = await refused(t, await submitTask(url, URLS), 400, 'without');
  t.match(message, /^Missing required parameter: .*Idempotency-Key/);
  await dataOf(t, await submitTask(url, URLS, keyed('k')));
});

t.test('what Modellix refuses is refused in its words', async (t) => {
  const { url, simulator } = await startApp(t);
  const cases = [
    [400, 'Invalid format: image is not a face', /^Invalid format: image is not a face$/],
    [404, 'Not found: no such audio', /^Not found: no such audio$/],
    [400, 'Invalid parameters: content policy (1301)', /^Invalid parameters: content policy \(1301\)$/],
    [402, 'Insufficient balance: the account balance is used up', /^Insufficient balance: /],
  ] as const;
  for (const [at, [status, message, expected]] of cases.entries()) {
    const key = keyed(String(at));
    simulator.inject({ on: 'submit', do: { status, body: { code: status, message, data: {} } } });
    const response = await submitTask(url, URLS, key);
    t.match(await refused(t, response, status, message), expected);
    const again = await submitTask(url, URLS, key);
    t.equal(again.headers.get('idempotent-replayed'), 'true');
    t.match(await refused(t, again, status, 'again'), expected);
  }
});

t.test('a submit whose outcome is not known is a task that failed', async (t) => {
  const { url, simulator } = await startApp(t);
  simulator.inject({ on: 'submit', do: { status: 500, body: { code: 500, message: 'x', data: {} } } });
  const data = await dataOf(t, await submitTask(url, URLS));
  t.equal(data.status, 'failed');
  t.match(await readTask(t, url, data.task_id), { status: 'failed', error: /may or may not have been made/ });
});
