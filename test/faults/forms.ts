/** Forms as clients send them that a generator made, each byte for byte. */

import type { Test } from 'tap';
import { BOUNDARY, formOf, json, type Part, text, typed } from '../support/form-parts.js';
import { GOOD, portrait, speech } from '../support/requests.js';
import { until } from '../support/until.js';
import type { StoreName } from './cases.js';
import { startWorld } from './world.js';

const METADATA = { order: '17', who: 'ä' };
const IMAGE: Part = [typed('name="image"', 'image/jpeg'), portrait];
const SOUND: Part = [typed('name="sound_file"; filename=""', 'application/octet-stream'), speech];

export async function formsTaken(t: Test, store: StoreName): Promise<void> {
  const app = await startWorld(t, store);
  const send = async (...parts: Part[]) => {
    const response = await fetch(`${app.url}/avatars`, {
      method: 'POST',
      headers: { 'content-type': `multipart/form-data; boundary=${BOUNDARY}` },
      body: new Uint8Array(formOf(parts)),
    });
    return { code: response.status, answer: (await response.json()) as { id?: string } };
  };
  const words = JSON.stringify(METADATA);
  const forms: readonly Part[][] = [
    [IMAGE, SOUND, json('metadata', words), text('prompt', 'Hä?')],
    [json('prompt', '"Hä?"'), json('metadata', words, '; filename="blob"'), SOUND, IMAGE],
    [text('prompt', 'Hä?'), SOUND, text('metadata', words), text('image', GOOD.image)],
  ];
  for (const form of forms) {
    const answer = { prompt: 'Hä?', metadata: METADATA, image: { bytes: portrait.length } };
    t.match(await send(...form), { code: 202, answer });
  }
  for (const [part, pointer] of [
    [json('prompt', '{"x":1}'), '/prompt'],
    [json('mode', '1'), '/mode'],
    [json('metadata', '"{}"'), '/metadata'],
  ] as const) {
    const answer = { type: /:validation$/, errors: [{ pointer }] };
    t.match(await send(IMAGE, part, SOUND), { code: 422, answer }, pointer);
  }
  await until('all are sent', async () => app.simulator.ledger().length === forms.length || null);
  t.match(
    app.simulator.ledger(),
    Array(forms.length).fill({ prompt: 'Hä?', image: 'inline', audio: 'inline' }),
  );
}
