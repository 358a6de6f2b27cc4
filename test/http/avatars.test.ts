import t, { type Test } from 'tap';
import type { AvatarView } from '../../src/http/schemas/avatar.js';
import { startApp } from '../support/app.js';
import { promised } from '../support/openapi.js';
import { createAvatar, GOOD, postJson, URLS } from '../support/requests.js';

const created = async (t: Test, response: Response) => {
  t.equal(response.status, 202);
  return (await promised(t, response, 'POST', '/avatars')) as AvatarView;
};

t.test('making and reading avatars', async (t) => {
  const app = await startApp(t);
  const read = (id: string) => fetch(`${app.url}/avatars/${id}`);
  const submits = () => app.simulator.ledger();

  await t.test('media in the request', async (t) => {
    const response = await postJson(app.url, { ...GOOD, prompt: 'She smiles.', mode: 'pro' });
    const avatar = await created(t, response);
    t.equal(response.headers.get('location'), avatar.links.self);
    t.match(response.headers.get('retry-after'), /^[1-9]\d*$/);
    t.match(avatar, {
      id: /^av_[0-9a-f]{32}$/,
      status: 'pending',
      mode: 'pro',
      prompt: 'She smiles.',
      external_id: null,
      metadata: {},
      image: { source: 'inline', format: 'jpeg', width: 720, height: 960, bytes: 42_098 },
      audio: { source: 'inline', format: 'mp3', bytes: 50_112 },
      video: null,
      error: null,
      cost: { currency: 'USD', estimate: Number },
      task_id: submits()[0]?.taskId,
      completed_at: null,
      links: { self: `/avatars/${avatar.id}`, video: `/avatars/${avatar.id}/video` },
    });
    t.ok(Math.abs((avatar.audio.duration_seconds ?? 0) - 6.16) < 0.05, 'the length was measured');
    t.equal(submits().length, 1);
  });

  await t.test('media elsewhere, and everything else that can be given', async (t) => {
    const given = {
      prompt: '🙂'.repeat(2500),
      mode: 'std',
      external_id: 'order/1042 ü',
      metadata: { 'a\nb': 'with a line feed', constructor: 'c', 'x/y~z': '', ключ: 'значение' },
    };
    const avatar = await created(t, await postJson(app.url, { ...URLS, ...given }));
    t.match(avatar, {
      image: { source: 'url', format: null, width: null, height: null, bytes: null },
      audio: { source: 'audio_id', format: null, duration_seconds: null, bytes: null },
      cost: { estimate: null },
    });
    for (const [name, value] of Object.entries(given)) {
      t.strictSame(avatar[name as keyof typeof given], value, `${name} comes back as it was given`);
    }
    t.strictSame(await (await read(avatar.id)).json(), avatar, 'and is read as it was answered');
  });

  await t.test('the largest that is allowed', async (t) => {
    const name = (index: number) => `${index}-`.padEnd(40, 'n');
    const metadata = Object.fromEntries(
      Array.from({ length: 50 }, (_, index) => [name(index), 'v'.repeat(500)]),
    );
    const body = {
      image: `https://example.com/${'a'.repeat(2028)}`,
      audio_id: 'a'.repeat(256),
      external_id: 'e'.repeat(255),
      metadata,
    };
    t.strictSame((await created(t, await postJson(app.url, body))).metadata, metadata);
  });

  await t.test('the same media in other words are the same submit', async (t) => {
    const plain = JSON.stringify(GOOD);
    const wrongLabel = (base64: string) => `data:text/plain;charset=utf-8;name=a.txt;base64,${base64}`;
    const bodies: Record<string, string> = {
      plain,
      'slashes escaped, as PHP does': plain.replaceAll('/', '\\/'),
      'letters escaped': plain.replaceAll('A', '\\u0041'),
      'a data: URI with a wrong label': JSON.stringify({
        image: wrongLabel(GOOD.image),
        sound_file: wrongLabel(GOOD.sound_file),
      }),
      'a data: URI without a label': JSON.stringify({ ...GOOD, image: `data:;base64,${GOOD.image}` }),
      'a data: URI in capitals': JSON.stringify({ ...GOOD, image: `DATA:IMAGE/PNG;BASE64,${GOOD.image}` }),
      'another order and white space': ` {\n "sound_file" : "${GOOD.sound_file}" ,\t"image":"${GOOD.image}"\r\n} `,
    };
    const before = submits().length;
    for (const body of Object.values(bodies)) await created(t, await postJson(app.url, body));
    const hashes = submits()
      .slice(before)
      .map(({ sha256 }) => sha256);
    Object.keys(bodies).forEach((name, index) => {
      t.equal(hashes[index], hashes[0], name);
    });
  });

  await t.test('content types and Accept that are fine', async (t) => {
    const types = [
      'application/json; charset=UTF-8',
      'Application/JSON',
      'application/json;charset="utf-8"',
      'application/json ; charset=utf8',
      'application/json; profile=x',
    ];
    for (const type of types) {
      t.equal((await postJson(app.url, URLS, { 'content-type': type })).status, 202, type);
    }
    t.equal((await postJson(app.url, URLS, { 'content-encoding': 'Identity' })).status, 202);
    for (const accept of ['*/*', 'application/*', 'text/html, application/json;q=0.1', '']) {
      t.equal((await postJson(app.url, URLS, { accept })).status, 202, `Accept: ${accept}`);
    }
  });

  await t.test('a trace context is passed on, and one that is none is not', async (t) => {
    const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
    await createAvatar(app.url);
    for (const each of [traceparent, `${traceparent}x`, 'nonsense']) {
      t.equal((await postJson(app.url, URLS, { traceparent: each })).status, 202);
    }
    const sent = submits().slice(-4);
    t.strictSame(
      sent.map(({ headers }) => headers.traceparent),
      [undefined, traceparent, undefined, undefined],
    );
  });

  await t.test('reading', async (t) => {
    const avatar = await createAvatar(app.url);
    const response = await read(avatar.id);
    t.equal(response.headers.get('cache-control'), 'private, no-cache');
    t.match(await promised(t, response, 'GET', '/avatars/{id}'), { id: avatar.id, task_id: avatar.task_id });
    const head = await fetch(`${app.url}/avatars/${avatar.id}`, { method: 'HEAD' });
    t.equal(head.status, 200);
    t.equal(await head.text(), '');
  });

  await t.test('404 alike for what is unknown and what cannot be an id', async (t) => {
    const ids = [`av_${'0'.repeat(32)}`, 'av_', 'x', '%00', 'a'.repeat(500), '__proto__'];
    for (const id of ids) {
      const response = await read(id);
      t.equal(response.status, 404, id);
      const problem = (await promised(t, response, 'GET', '/avatars/{id}')) as Record<string, unknown>;
      const { instance, request_id, ...rest } = problem;
      t.equal(instance, `/avatars/${id}`);
      t.equal(request_id, response.headers.get('x-request-id'));
      t.strictSame(rest, {
        type: 'urn:avatar-gateway:problem:not-found',
        title: 'There is nothing here',
        status: 404,
        detail: 'No avatar of yours has this id.',
      });
    }
  });
});

t.test('a refusal by Modellix is a problem, and an avatar that failed', async (t) => {
  const { url, simulator } = await startApp(t);
  simulator.inject({
    on: 'submit',
    do: { status: 400, body: { code: 400, message: 'Invalid format: image is not a face', data: {} } },
  });
  const response = await postJson(url, URLS);
  t.equal(response.status, 422);
  const problem = (await promised(t, response, 'POST', '/avatars')) as Record<string, string>;
  t.match(problem, {
    type: 'urn:avatar-gateway:problem:refused-by-modellix',
    detail: /image is not a face/,
    instance: /^\/avatars\/av_/,
  });
  const avatar = await promised(t, await fetch(url + problem.instance), 'GET', '/avatars/{id}');
  t.match(avatar, {
    status: 'failed',
    task_id: null,
    error: { type: problem.type, detail: problem.detail, upstream_status: 400 },
  });
});
