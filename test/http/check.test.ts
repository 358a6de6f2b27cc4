/** Everything but the submit. */

import t from 'tap';
import { startApp } from '../support/app.js';
import { promised } from '../support/openapi.js';
import { GOOD, portrait, speech, URLS, wav } from '../support/requests.js';

const check = (url: string, body: unknown) =>
  fetch(`${url}/avatars/check`, {
    method: 'POST',
    ...(body instanceof FormData
      ? { body }
      : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
  });

t.test('says what was found and what it would cost, and spends nothing', async (t) => {
  const { url, simulator } = await startApp(t);
  const form = new FormData();
  form.append('sound_file', new Blob([speech]), 'b.mp3');
  form.append('mode', 'pro');
  form.append('image', new Blob([portrait]), 'a.jpg');
  for (const [body, mode, estimate] of [
    [GOOD, 'std', 0.2767],
    [form, 'pro', 0.5535],
  ] as const) {
    const answer = await check(url, body);
    t.equal(answer.status, 200);
    t.match(await promised(t, answer, 'POST', '/avatars/check'), {
      mode,
      image: { source: 'inline', format: 'jpeg', bytes: portrait.length },
      audio: { source: 'inline', format: 'mp3', duration_seconds: 6.177, bytes: speech.length },
      cost: { currency: 'USD', estimate },
      warnings: [],
    });
  }
  t.match(await (await check(url, URLS)).json(), {
    image: { source: 'url', bytes: null },
    audio: { source: 'audio_id' },
    cost: { estimate: null },
  });
  t.strictSame(simulator.ledger(), []);
  t.strictSame(simulator.calls(), []);
});

t.test('says what is wrong as a submit would', async (t) => {
  const { url } = await startApp(t);
  const answer = await check(url, { image: 'Zm9v', sound_file: wav(1.9).toString('base64') });
  t.equal(answer.status, 422);
  t.match(await promised(t, answer, 'POST', '/avatars/check'), {
    type: /:invalid-media$/,
    errors: [{ pointer: '/image' }, { pointer: '/sound_file', detail: /1.9 s long/ }],
  });
  t.equal((await check(url, { ...GOOD, mode: 'PRO' })).status, 422);
  const wrongType = await fetch(`${url}/avatars/check`, { method: 'POST', body: 'x' });
  t.equal(wrongType.status, 415);
});

t.test('[E6] [R06] [R15] [E17] [FMedia] warns of what was forgiven, and sends it put right', async (t) => {
  const { url, simulator } = await startApp(t);
  const honest = wav(3);
  const streamed = Buffer.from(honest);
  streamed.writeUInt32LE(0x7fffffff, 4);
  streamed.writeUInt32LE(0x7fffffff, 40);
  const warnings = [
    {
      pointer: '/sound_file',
      detail: `has a "data" chunk that claims 2147483647 bytes, there are ${honest.length - 44}; it is put right before it is sent`,
    },
    {
      pointer: '/sound_file',
      detail: `has a RIFF header that claims 2147483647 bytes, there are ${honest.length - 8}; it is put right before it is sent`,
    },
  ];
  const form = new FormData();
  form.append('image', new Blob([portrait]), 'a.jpg');
  form.append('sound_file', new Blob([streamed]), 'b.wav');
  const json = { ...GOOD, sound_file: streamed.toString('base64') };
  for (const body of [form, json]) {
    const answer = await check(url, body);
    t.equal(answer.status, 200);
    t.match(await promised(t, answer, 'POST', '/avatars/check'), {
      audio: { duration_seconds: 3 },
      warnings,
    });
  }
  const junk = Buffer.concat([speech, Buffer.from('\r\n--end')]);
  t.match(await (await check(url, { ...GOOD, sound_file: junk.toString('base64') })).json(), {
    warnings: [{ pointer: '/sound_file', detail: /has 7 bytes that are neither .*; it is sent as it is$/ }],
  });

  const create = (key: string, sound: Buffer) =>
    fetch(`${url}/avatars`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'idempotency-key': key },
      body: JSON.stringify({ ...GOOD, sound_file: sound.toString('base64') }),
    });
  const first = await create('one', streamed);
  t.equal(first.status, 202);
  const again = await create('one', honest);
  t.equal(again.headers.get('idempotent-replayed'), 'true', 'the hash is of what is sent');
  const { id } = (await first.json()) as { id: string };
  t.match(await again.json(), { id });
  t.equal((await create('two', honest)).status, 202);
  const sent = simulator.ledger().map(({ sha256 }) => sha256);
  t.equal(sent.length, 2);
  t.equal(sent[0], sent[1], 'Modellix got the honest header');
});
