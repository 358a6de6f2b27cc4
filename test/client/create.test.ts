/** Avatars made and read by the client, against a running gateway. */

import { openAsBlob } from 'node:fs';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { createClient } from '../../src/client/index.js';
import { startApp } from '../support/app.js';
import { GOOD, URLS } from '../support/requests.js';
import { rejection } from './support.js';

const DEMO = fileURLToPath(new URL('../demo/', import.meta.url));
const SEEN = {
  image: { source: 'inline', format: 'jpeg', width: 720, height: 960 },
  audio: { source: 'inline', format: 'mp3', duration_seconds: 6.177 },
};

t.test('create', async (t) => {
  const { url, simulator } = await startApp(t);
  const client = createClient({ baseUrl: `${url}/` });
  const [image, sound_file] = await Promise.all([
    openAsBlob(`${DEMO}portrait.jpg`),
    openAsBlob(`${DEMO}speech.mp3`),
  ]);
  const notes = { prompt: 'Sie nickt, ä.', mode: 'pro', external_id: 'a b', metadata: { a: '1' } } as const;

  await t.test('of files', async (t) => {
    const made = await client.create({ image, sound_file, ...notes, start_within_seconds: 60 });
    t.match(made, { ...SEEN, ...notes, status: 'pending' });
    t.equal(Date.parse(made.start_by ?? '') - Date.parse(made.created_at), 60_000);
    t.strictSame(await client.get(made.id), made);
  });

  await t.test('of base64 and data: URIs', async (t) => {
    const data = { image: `data:image/jpeg;base64,${GOOD.image}`, sound_file: GOOD.sound_file };
    t.match(await client.create({ ...data, ...notes }), { ...SEEN, ...notes });
  });

  await t.test('of a file and a text that is too long for a form', async (t) => {
    const long = `data:;base64,${Buffer.concat([Buffer.from(GOOD.sound_file, 'base64'), Buffer.alloc(300_000)]).toString('base64')}`;
    t.match(await client.create({ image, sound_file: long }), {
      image: SEEN.image,
      audio: { format: 'mp3' },
    });
    t.match(await rejection(client.create({ image, sound_file: 'no base64!' })), {
      status: 422,
      type: 'invalid-media',
    });
  });

  await t.test('of what is elsewhere', async (t) => {
    const made = await client.create({ image, audio_id: URLS.audio_id });
    t.match(made, { image: SEEN.image, audio: { source: 'audio_id' } });
    t.match(await client.create({ ...URLS, start_within_seconds: 60 }), {
      ...{ image: { source: 'url' }, start_by: String },
    });
  });

  t.equal(simulator.ledger().length, 5, 'each once');

  await t.test('check makes nothing', async (t) => {
    t.match(await client.check({ image, sound_file }), { ...SEEN, cost: { currency: 'USD' } });
    t.match(await rejection(client.check({ image: sound_file, sound_file: image })), {
      type: 'invalid-media',
    });
    t.equal(simulator.ledger().length, 5);
  });
});
