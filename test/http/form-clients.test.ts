/** Forms byte for byte as clients send them (RFC 7578): each is the request it is meant to be. */

import t, { type Test } from 'tap';
import { startApp } from '../support/app.js';
import {
  BOUNDARY,
  disposition,
  formOf,
  IMAGE,
  json,
  type Part,
  SOUND,
  text,
  typed,
} from '../support/form-parts.js';
import { GOOD, portrait, speech } from '../support/requests.js';

const { url } = await startApp(t);

const send = (path: string, body: Buffer, boundary = BOUNDARY) =>
  fetch(url + path, {
    method: 'POST',
    headers: { 'content-type': `multipart/form-data; boundary=${boundary}` },
    body: new Uint8Array(body),
  });

/** What an avatar that a form makes looks like, and that its media are those of the demo. */
async function makes(t: Test, body: Buffer, expected: Record<string, unknown> = {}, boundary?: string) {
  const answer = await send('/avatars', body, boundary);
  const avatar = (await answer.json()) as object;
  t.equal(answer.status, 202, JSON.stringify(avatar));
  t.match(avatar, {
    image: { source: 'inline', format: 'jpeg', bytes: portrait.length },
    audio: { source: 'inline', format: 'mp3', bytes: speech.length },
    ...expected,
  });
}

async function refuses(t: Test, body: Buffer, status: number, slug: string, pointers?: readonly string[]) {
  const answer = await send('/avatars', body);
  const problem = (await answer.json()) as {
    type: string;
    detail: string;
    errors?: { pointer: string; detail: string }[];
  };
  t.equal(answer.status, status, JSON.stringify(problem));
  t.equal(problem.type.split(':').pop(), slug);
  t.strictSame(
    problem.errors?.map(({ pointer }) => pointer),
    pointers,
  );
  return problem;
}

const NOTES = { metadata: { order: '17', who: 'ä 😀' } };
const METADATA = JSON.stringify(NOTES.metadata);

t.test('[R02] metadata as text, as a JSON part, as a Blob with any file name', async (t) => {
  for (const metadata of [
    text('metadata', METADATA),
    json('metadata', METADATA),
    json('metadata', METADATA, '; filename="blob"'),
    json('metadata', METADATA, '; filename=""'),
    json('metadata', METADATA, '; filename="m.json"'),
    [typed('name="metadata"', 'application/json; charset=UTF-8'), METADATA] as const,
    [typed('name="metadata"', 'text/plain; charset=utf-8'), METADATA] as const,
    [typed('name="metadata"; filename="m.json"', 'application/octet-stream'), METADATA] as const,
    json('metadata', `\ufeff${METADATA}`),
  ]) {
    await makes(t, formOf([IMAGE, metadata, SOUND]), NOTES);
    await makes(t, formOf([metadata, SOUND, IMAGE]), NOTES);
  }
});

t.test('[E4] JSON parts are read as strictly as a body of JSON', async (t) => {
  for (const bad of ['{"a":"b","a":"c"}', '{"__proto__":"b"}', '{"a":', '', '{"a":"b"} x', '{"a":"\xff']) {
    const part = json('metadata', bad, '; filename="blob"');
    const { detail } = await refuses(t, formOf([IMAGE, SOUND, part]), 400, 'invalid-json');
    t.match(detail, /^The field "metadata" /);
  }
  const unusual = json('metadata', `"${METADATA.replaceAll('"', '\\"')}"`);
  await refuses(t, formOf([IMAGE, SOUND, unusual]), 422, 'validation', ['/metadata']);
});

t.test('[E4] a JSON string is a string, and what is none is named, never coerced', async (t) => {
  const strings = { prompt: 'She "smiles".', mode: 'pro', external_id: 'order-1' };
  const parts = Object.entries(strings).map(([name, value]) => json(name, JSON.stringify(value)));
  await makes(t, formOf([...parts, IMAGE, SOUND]), strings);
  const blobs = Object.entries(strings).map(([name, value]) =>
    json(name, JSON.stringify(value), '; filename="blob"'),
  );
  await makes(t, formOf([IMAGE, SOUND, ...blobs]), strings);
  for (const value of ['{"x":1}', '1', 'true', 'null', '["a"]']) {
    for (const name of Object.keys(strings)) {
      await refuses(t, formOf([IMAGE, SOUND, json(name, value)]), 422, 'validation', [`/${name}`]);
    }
    await refuses(t, formOf([json('image', value), SOUND]), 422, 'validation', ['/image']);
  }
});

t.test('[R02] a string that is said to be JSON and is sent as it is', async (t) => {
  const parts = [json('prompt', 'She smiles.'), json('mode', 'pro'), IMAGE, SOUND];
  await makes(t, formOf(parts), { prompt: 'She smiles.', mode: 'pro' });
  await refuses(t, formOf([json('prompt', '{"x":1'), IMAGE, SOUND]), 400, 'invalid-json');
  await refuses(t, formOf([json('prompt', 'true'), IMAGE, SOUND]), 422, 'validation', ['/prompt']);
  await refuses(t, formOf([json('metadata', 'order 17'), IMAGE, SOUND]), 400, 'invalid-json');
});

t.test('[E4] text that is not of its charset is refused, not paid for with holes in it', async (t) => {
  const bad = { 'Latin 1': 'h\xe9llo', surrogates: '\xed\xa0\x80', 'an overlong form': '\xc0\xaf' };
  for (const [what, bytes] of Object.entries(bad)) {
    for (const name of ['prompt', 'external_id', 'metadata']) {
      const content = Buffer.from(name === 'metadata' ? `{"a":"${bytes}"}` : bytes, 'latin1');
      const { detail } = await refuses(
        t,
        formOf([[text(name, '')[0], content], IMAGE, SOUND]),
        400,
        'invalid-multipart',
      );
      t.match(detail, `The field "${name}" is not UTF-8`, what);
    }
  }
  const head = typed('name="prompt"', 'text/plain; charset=iso-8859-1');
  await makes(t, formOf([[head, Buffer.from('h\xe9llo', 'latin1')], IMAGE, SOUND]), { prompt: 'héllo' });
});

t.test('[F69] media as JSON strings', async (t) => {
  const spelled = (value: string) => JSON.stringify(value).replaceAll('/', '\\/');
  await makes(t, formOf([json('image', spelled(GOOD.image)), json('sound_file', spelled(GOOD.sound_file))]));
  const urls = [
    json('image', '"https:\\/\\/example.com\\/a.jpg"'),
    json('sound_file', '"https://example.com/b.mp3"'),
  ];
  await makes(t, formOf(urls), { image: { source: 'url' }, audio: { source: 'url' } });
  await refuses(t, formOf([json('image', '"hello"'), SOUND]), 422, 'invalid-media', ['/image']);
  await refuses(t, formOf([json('image', '"a","image":"b"'), SOUND]), 400, 'invalid-json');
});

t.test('[R09] media without a file name are files, whatever their type', async (t) => {
  for (const type of ['image/jpeg', 'application/octet-stream', 'video/mp4', 'image/*', 'text/plain']) {
    const image: Part = [typed('name="image"', type), portrait];
    const sound: Part = [typed('name="sound_file"', type.replace('image', 'audio')), speech];
    await makes(t, formOf([image, sound]));
    await makes(t, formOf([sound, text('mode', 'pro'), image]), { mode: 'pro' });
  }
  await makes(t, formOf([[[disposition('name="image"')], portrait], SOUND]), {});
  // Larger than all texts together may be.
  const large = Buffer.concat([portrait.subarray(0, -2), Buffer.alloc(300_000), portrait.subarray(-2)]);
  const answer = await send('/avatars/check', formOf([[typed('name="image"', 'image/jpeg'), large], SOUND]));
  t.not(answer.status, 413, 'not taken for a text');
});

t.test('[R09] media as text without a file name: base64 of any size, data: URIs, URLs', async (t) => {
  await makes(t, formOf([text('image', GOOD.image), text('sound_file', GOOD.sound_file)]));
  await makes(t, formOf([text('image', `data:image/jpeg;base64,${GOOD.image}`), SOUND]));
  const padded = Buffer.concat([portrait, Buffer.alloc(300_000)]).toString('base64');
  await refuses(t, formOf([text('image', `${padded}!`), SOUND]), 422, 'invalid-media', ['/image']);
  await refuses(t, formOf([text('image', 'ftp://a/b'), SOUND]), 422, 'url-not-allowed', ['/image']);
});

const TYPED_TEXT = 'text/plain; charset=utf-8';
const octets = 'application/octet-stream';
const CLIENTS: Record<string, readonly Part[]> = {
  'curl -F': [
    [typed('name="image"; filename="a.jpg"', 'image/jpeg'), portrait],
    [typed('name="sound_file"; filename="b.mp3"', 'audio/mpeg'), speech],
    text('prompt', 'Hä?'),
  ],
  'browsers, with % escapes in a file name': [
    [typed('name="image"; filename="a %22b%22.jpg"', 'image/jpeg'), portrait],
    [typed('name="sound_file"; filename="b.mp3"', 'audio/mpeg'), speech],
    text('prompt', 'Hä?'),
  ],
  undici: [
    [typed('name="image"; filename="blob"', octets), portrait],
    [typed('name="sound_file"; filename="blob"', octets), speech],
    text('prompt', 'Hä?'),
  ],
  '.NET MultipartFormDataContent: names without quotes, type first': [
    [
      ['Content-Type: image/jpeg', `${disposition('name=image')}; filename=a.jpg; filename*=utf-8''a.jpg`],
      portrait,
    ],
    [[disposition('name=sound_file')], speech],
    [[`Content-Type: ${TYPED_TEXT}`, disposition('name=prompt')], 'Hä?'],
  ],
  'Spring MultipartBodyBuilder': [
    [typed('name="image"; filename="a.jpg"', 'image/jpeg', `Content-Length: ${portrait.length}`), portrait],
    [typed('name="sound_file"; filename="b.mp3"', 'audio/mpeg', `Content-Length: ${speech.length}`), speech],
    [typed('name="prompt"', 'text/plain;charset=UTF-8', 'Content-Length: 4'), 'Hä?'],
    json('mode', '"std"'),
  ],
  'httpx and requests': [
    [typed('name="image"; filename="a.jpg"', 'image/jpeg'), portrait],
    [[disposition('name="sound_file"')], speech],
    text('prompt', 'Hä?'),
  ],
  'requests, a file name that is not ASCII': [
    [typed(`name="image"; filename*=utf-8''%C3%A4.jpg`, 'image/jpeg'), portrait],
    [typed(`name="sound_file"; filename="b.mp3"`, 'audio/mpeg'), speech],
    text('prompt', 'Hä?'),
  ],
  'Go, CreatePart and CreateFormFile': [
    [['Content-Disposition: form-data; name="image"', 'Content-Type: image/jpeg'], portrait],
    [typed('name="sound_file"; filename="b.mp3"', octets), speech],
    text('prompt', 'Hä?'),
  ],
  'Ktor: no quotes, a length in each part': [
    [[disposition('name=image'), 'Content-Type: image/jpeg', `Content-Length: ${portrait.length}`], portrait],
    [
      [disposition('name=sound_file'), 'Content-Type: audio/mpeg', `Content-Length: ${speech.length}`],
      speech,
    ],
    [[disposition('name=prompt'), 'Content-Length: 4'], 'Hä?'],
  ],
  'reqwest, Part::bytes': [
    [typed('name="image"', 'image/jpeg'), portrait],
    [[disposition('name="sound_file"')], speech],
    text('prompt', 'Hä?'),
  ],
  Retrofit: [
    [
      [
        disposition('name="image"; filename="a.jpg"'),
        'Content-Transfer-Encoding: binary',
        'Content-Type: image/*',
      ],
      portrait,
    ],
    [
      [disposition('name="sound_file"'), 'Content-Transfer-Encoding: binary', 'Content-Type: audio/*'],
      speech,
    ],
    [typed('name="prompt"', 'application/json; charset=UTF-8', 'Content-Length: 6'), '"Hä?"'],
  ],
  'Latin 1, as Apache HttpClient 4 writes it': [
    IMAGE,
    SOUND,
    [typed('name="prompt"', 'text/plain; charset=ISO-8859-1'), Buffer.from('Hä?', 'latin1')],
  ],
  'headers in lower case, tabs, no space behind the colon': [
    [['content-disposition:form-data;\tname="image";filename="a.jpg"', 'content-type:image/jpeg'], portrait],
    [['CONTENT-DISPOSITION: Form-Data; NAME="sound_file"; FILENAME="b.mp3"'], speech],
    text('prompt', 'Hä?'),
  ],
  'a text as a file': [IMAGE, SOUND, [typed('name="prompt"; filename="p.txt"', 'text/plain'), 'Hä?']],
};

for (const [name, parts] of Object.entries(CLIENTS)) {
  t.test(`[F69] ${name}`, async (t) => {
    await makes(t, formOf(parts), { prompt: 'Hä?' });
    await makes(t, formOf([...parts].reverse()), { prompt: 'Hä?' });
    const around = formOf(parts, 'A preamble.\r\n', 'An epilogue.\r\n--and more');
    await makes(t, around, { prompt: 'Hä?' }, `"${BOUNDARY}"`);
  });
}

t.test('[F69] what FormData sends', async (t) => {
  const form = new FormData();
  form.append('metadata', new Blob([METADATA], { type: 'application/json' }));
  form.append('prompt', new Blob(['"Hä?"'], { type: 'application/json' }), '');
  form.append('image', new Blob([portrait], { type: 'image/jpeg' }));
  form.append('sound_file', new Blob([speech]), '');
  const answer = await fetch(`${url}/avatars`, { method: 'POST', body: form });
  t.equal(answer.status, 202);
  t.match(await answer.json(), { prompt: 'Hä?', ...NOTES });
});

t.test('a name is what it says, and nothing is decoded in it', async (t) => {
  for (const name of ['pro%22mpt', 'promp%74', 'prompt%22', 'prompt ']) {
    await refuses(t, formOf([IMAGE, SOUND, text(name, 'a')]), 400, 'invalid-multipart');
  }
});

t.test('a form that is cut anywhere is refused at once, not when something has run out', async (t) => {
  const whole = formOf([
    text('prompt', 'a'),
    json('metadata', METADATA),
    [typed('name="image"', 'image/jpeg'), portrait.subarray(0, 2_000)],
    [['X-Y: z'], 'x'.repeat(40_000)],
  ]);
  const end = whole.length - 4;
  for (let at = 1; at < end; at += at < 700 ? 7 : 997) {
    await refuses(t, whole.subarray(0, at), 400, 'invalid-multipart');
  }
});
