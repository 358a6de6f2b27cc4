import t from 'tap';
import { startApp } from '../support/app.js';
import { GOOD, postJson, readAvatar, URLS } from '../support/requests.js';
import { until } from '../support/until.js';

const keyed = (key: string) => ({ 'idempotency-key': key });
const json = async (response: Response) => (await response.json()) as Record<string, string>;
const replayed = (response: Response) => response.headers.get('idempotent-replayed');

t.test('the same key and request give the same avatar, as it is now', async (t) => {
  const { url, simulator } = await startApp(t);
  const first = await postJson(url, URLS, keyed('order-1'));
  t.equal(replayed(first), null);
  const { id = '', task_id = '' } = await json(first);
  simulator.settle(task_id, { end: 'success' });
  await until('succeeded', async () => ((await readAvatar(url, id)).completed_at === null ? null : true));

  const again = await postJson(url, URLS, keyed('order-1'));
  t.equal(again.status, 202);
  t.equal(replayed(again), 'true');
  t.equal(again.headers.get('location'), `/avatars/${id}`);
  t.match(await again.json(), { id, status: 'succeeded' });
  t.equal(simulator.ledger().length, 1);
});

t.test('how the JSON is written does not matter; what it says does', async (t) => {
  const { url, simulator } = await startApp(t);
  const { id } = await json(
    await postJson(url, { ...GOOD, mode: 'std', metadata: { a: '1', b: '2' } }, keyed('k')),
  );
  const same = [
    { metadata: { b: '2', a: '1' }, ...GOOD },
    { ...GOOD, metadata: { a: '1', b: '2' }, image: `data:image/jpeg;base64,${GOOD.image}` },
  ];
  for (const body of same) t.match(await (await postJson(url, body, keyed('k'))).json(), { id });
  t.match(await (await postJson(url, same[0], keyed('"k"'))).json(), { id }, 'bare or quoted, one key');

  const others = [{ ...GOOD }, { ...GOOD, mode: 'pro' }, { ...URLS }, { ...GOOD, prompt: 'She nods.' }];
  for (const body of others) {
    const response = await postJson(url, body, keyed('k'));
    t.equal(response.status, 422);
    t.match(await response.json(), { type: /:idempotency-key-reused$/, instance: `/avatars/${id}` });
  }
  t.equal(simulator.ledger().length, 1);
});

t.test('a request that Modellix refused replays its problem', async (t) => {
  const { url, simulator } = await startApp(t);
  simulator.inject({
    on: 'submit',
    do: { status: 400, body: { code: 400, message: 'Invalid parameters: no face' } },
  });
  const first = await postJson(url, URLS, keyed('k'));
  const again = await postJson(url, URLS, keyed('k'));
  t.equal(first.status, 422);
  t.equal(again.status, 422);
  t.equal(replayed(again), 'true');
  const { request_id: _, ...problem } = await json(first);
  t.match(problem, { type: /:refused-by-modellix$/, detail: 'Invalid parameters: no face' });
  t.match(await again.json(), problem);
  t.equal(simulator.calls('submit').length, 1);
});

t.test('without a key, each request is one of its own', async (t) => {
  const { url, simulator } = await startApp(t);
  const ids = [await json(await postJson(url, URLS)), await json(await postJson(url, URLS))];
  t.not(ids[0]?.id, ids[1]?.id);
  t.equal(simulator.ledger().length, 2);
});

t.test('a key that is none', async (t) => {
  const { url, simulator } = await startApp(t);
  for (const key of ['', '""', 'a b', 'x'.repeat(256), 'caf\u00e9', 'tab\there']) {
    const response = await postJson(url, URLS, keyed(key));
    t.equal(response.status, 400, JSON.stringify(key));
    t.match(await response.json(), { type: /:idempotency-key-invalid$/ });
  }
  t.equal((await postJson(url, URLS, keyed('x'.repeat(255)))).status, 202);
  t.equal(simulator.ledger().length, 1);
});

t.test('required, where the gateway is told so', async (t) => {
  const { url } = await startApp(t, { requireIdempotencyKey: true });
  const without = await postJson(url, URLS);
  t.equal(without.status, 400);
  t.match(await without.json(), { type: /:idempotency-key-required$/ });
  t.equal((await postJson(url, URLS, keyed('k'))).status, 202);
});
