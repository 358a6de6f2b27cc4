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
