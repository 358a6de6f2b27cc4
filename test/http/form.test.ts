/** Forms: the same request as JSON, with the media as files. */

import { Agent, request as httpRequest } from 'node:http';
import t, { type Test } from 'tap';
import type { AvatarView } from '../../src/http/schemas/avatar.js';
import { startApp } from '../support/app.js';
import { GOOD, portrait, postJson, speech } from '../support/requests.js';

type Field = [name: string, value: string | Blob, file?: string];

const IMAGE: Field = ['image', new Blob([portrait]), 'a.jpg'];
const SOUND: Field = ['sound_file', new Blob([speech]), 'b.mp3'];

function formOf(...fields: Field[]): FormData {
  const form = new FormData();
  for (const [name, value, file] of fields) {
    if (typeof value === 'string') form.append(name, value);
    else form.append(name, value, file);
  }
  return form;
}

const post = (url: string, form: FormData, headers: Record<string, string> = {}) =>
  fetch(`${url}/avatars`, { method: 'POST', body: form, headers });

async function made(t: Test, response: Response): Promise<AvatarView> {
  const body = (await response.json()) as AvatarView;
  t.equal(response.status, 202, JSON.stringify(body));
  return body;
}

t.test('files and texts in any order come to what JSON comes to', async (t) => {
  const { url, simulator } = await startApp(t);
  const texts: Field[] = [
    ['prompt', 'She smiles, ä 😀.'],
    ['mode', 'pro'],
    ['external_id', 'order-1'],
    ['metadata', '{"a":"b","c":"d"}'],
  ];
  const asJson = {
    ...GOOD,
    prompt: texts[0]?.[1],
    mode: 'pro',
    external_id: 'order-1',
    metadata: { a: 'b', c: 'd' },
  };
  const json = await made(t, await postJson(url, asJson));
  const [of] = simulator.ledger();
  for (const fields of [
    [IMAGE, SOUND, ...texts],
    [...texts, SOUND, IMAGE],
    [SOUND, ...texts, IMAGE],
  ]) {
    const avatar = await made(t, await post(url, formOf(...fields)));
    const { id, links, task_id, created_at, submitted_at, ...same } = avatar;
    t.match(json, same);
    const sent = simulator.ledger().at(-1);
    t.equal(sent?.sha256, of?.sha256, 'the same was sent to Modellix');
  }
});

t.test('a form and JSON are the same request to an idempotency key', async (t) => {
  const { url, simulator } = await startApp(t);
  const key = { 'idempotency-key': 'k' };
  const { id } = await made(t, await postJson(url, GOOD, key));
  const again = await post(url, formOf(SOUND, IMAGE), key);
  t.equal(again.headers.get('idempotent-replayed'), 'true');
  t.equal((await made(t, again)).id, id);
  const labelled = { ...GOOD, image: `data:image/png;base64,${GOOD.image}` };
  t.equal((await made(t, await postJson(url, labelled, key))).id, id, 'and a data: URI');
  const other = await post(url, formOf(IMAGE, SOUND, ['mode', 'pro']), key);
  t.equal(other.status, 422);
  t.equal(simulator.ledger().length, 1);
});

t.test('media may be texts in a form', async (t) => {
  const { url } = await startApp(t);
  for (const [image, sound, format] of [
    ['https://example.com/a.jpg', 'https://example.com/b.mp3', null],
    [GOOD.image, `data:audio/mpeg;base64,${GOOD.sound_file}`, 'jpeg'],
  ] as const) {
    const avatar = await made(t, await post(url, formOf(['image', image], ['sound_file', sound])));
    t.equal(avatar.image.format, format);
  }
});

t.test('what a browser sends for a field that was left empty is as good as not sent', async (t) => {
  const { url } = await startApp(t);
  const nothing = new Blob([], { type: 'application/octet-stream' });
  const empty: Field[] = [
    ['prompt', ''],
    ['external_id', ''],
    ['metadata', ''],
  ];
  const withFile = await made(t, await post(url, formOf(IMAGE, SOUND, ['audio_id', ''], ...empty)));
  t.match(withFile, { prompt: null, external_id: null, metadata: {}, audio: { source: 'inline' } });
  const withId = await made(
    t,
    await post(url, formOf(IMAGE, ['sound_file', nothing, ''], ['audio_id', 'a'])),
  );
  t.equal(withId.audio.source, 'audio_id');
});

t.test('neither the name of a file nor its label matters', async (t) => {
  const { url } = await startApp(t);
  const image = new Blob([portrait], { type: 'text/html' });
  const sound = new Blob([speech], { type: 'image/png' });
  const form = formOf(['image', image, '../../etc/passwd'], ['sound_file', sound, 'a.exe']);
  t.match(await made(t, await post(url, form)), { image: { format: 'jpeg' }, audio: { format: 'mp3' } });
});

t.test('a connection serves on after a form that was refused before its end', async (t) => {
  const { url } = await startApp(t);
  const { hostname, port } = new URL(url);
  const form = new Response(
    formOf(['colour', 'red'], ['image', new Blob([Buffer.alloc(9_000_000)]), 'a.jpg']),
  );
  const body = Buffer.from(await form.arrayBuffer());
  const type = form.headers.get('content-type') ?? '';
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  t.teardown(() => agent.destroy());
  const ask = (method: string, path: string, headers: Record<string, string>, bytes?: Buffer) =>
    new Promise<{ status?: number; port?: number }>((resolve, reject) => {
      const asked = httpRequest({ hostname, port, method, path, headers, agent }, (response) => {
        const seen = { status: response.statusCode ?? 0, port: response.socket.localPort ?? 0 };
        response.resume().once('end', () => resolve(seen));
      });
      asked.once('error', reject).end(bytes);
    });
  const refused = await ask(
    'POST',
    '/avatars',
    { 'content-type': type, 'content-length': `${body.length}` },
    body,
  );
  t.equal(refused.status, 400);
  const after = await ask('GET', '/livez', {});
  t.equal(after.status, 200);
  t.equal(after.port, refused.port, 'the same connection');
});
