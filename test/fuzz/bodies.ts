/** What reads the bodies of requests, before media are looked at. */

import { decodeBase64 } from '../../src/domain/media/base64.js';
import { MediaError } from '../../src/domain/media/media.js';
import { Memory } from '../../src/gateway/intake/memory.js';
import { readJson } from '../../src/http/body/json-body.js';
import { ProblemError } from '../../src/problems.js';
import type { Target } from './target.js';

const MAX_BYTES = 1_000_000;
/** Before a call counts as a hang. */
const STALL_MS = 400;
const BASE64 = Buffer.alloc(5_000, 'AbC+/z09').toString();
const JSONS = [
  '{"image":"https://example.com/a.jpg","audio_id":"a","metadata":{"a":"\\"\\\\\\u0041","b":"c"}}',
  `{"image":"${BASE64}","sound_file":"data:audio/mpeg;base64,${BASE64.replaceAll('/', '\\/')}"}`,
  `[{"constructor":{"a":[1,-2e3,null,true]}},"${'\\\\'.repeat(20)}"]`,
  `\ufeff{"sound_file":"${'AbC+'.repeat(2_000)}${'\\u002B\\/'.repeat(500)}","mode":"pro"}`,
];
const FORM = [
  '--x\r\nContent-Disposition: form-data; name="image"; filename="a.jpg"\r\nContent-Type: image/jpeg\r\n\r\nabc\r\n',
  '--x\r\nContent-Disposition: form-data; name="metadata"\r\n\r\n{"a":"b"}\r\n',
  '--x\r\nContent-Disposition: form-data; name="audio_id"\r\n\r\na\r\n--x--\r\n',
].join('');
const JSON_PART = 'Content-Type: application/json\r\n\r\n';
const JSON_FORM = [
  `--x\r\nContent-Disposition: form-data; name="image"\r\n${JSON_PART}"${BASE64.replaceAll('/', '\\/')}"\r\n`,
  `--x\r\nContent-Disposition: form-data; name="metadata"; filename="blob"\r\n${JSON_PART}{"a":"\\u0041"}\r\n`,
  '--x\r\nContent-Disposition: form-data; name=sound_file\r\nContent-Type: audio/mpeg\r\n\r\n\xff\xfb\x90\r\n',
  `--x\r\nContent-Disposition: form-data; name="prompt"\r\n${JSON_PART}"a"\r\n--x--\r\n`,
].join('');

class Refused extends Error {}

let url = '';

/** A route that takes whatever could be read. Loaded when it is needed: other targets run in threads without it. */
async function startServer(): Promise<void> {
  const [{ default: Fastify }, body, problems, uploads] = await Promise.all([
    import('fastify'),
    import('../../src/http/plugins/body.js'),
    import('../../src/http/plugins/problems.js'),
    import('../../src/http/plugins/uploads.js'),
  ]);
  const app = Fastify({ bodyLimit: MAX_BYTES, keepAliveTimeout: 1_000 });
  app.decorateRequest('sender', null);
  problems.answerWithProblems(app);
  await body.readBodies(app, new Memory(4 * MAX_BYTES));
  app.post('/', { config: { access: 'open', takesForms: true } }, async () => ({}));
  uploads.endSlowUploads(app, STALL_MS);
  url = await app.listen({ host: '127.0.0.1', port: 0 });
  app.server.unref();
}

async function runForm(bytes: Buffer): Promise<void> {
  const headers = { 'content-type': 'multipart/form-data; boundary=x' };
  const answer = await fetch(url, { method: 'POST', headers, body: new Uint8Array(bytes) });
  const text = await answer.text();
  if (answer.status >= 500) throw new Error(text);
  if (answer.status >= 400) throw new Refused(text);
}

export const BODY_TARGETS: readonly Target[] = [
  {
    name: 'base64',
    seeds: [Buffer.from(BASE64), Buffer.from('Zg=='), Buffer.from('Zm8=')],
    maxBytes: MAX_BYTES,
    run: (bytes) => {
      const again = decodeBase64(bytes).toString('base64');
      if (again !== bytes.toString('latin1')) throw new Error('two spellings of one file');
    },
    isRefusal: (error) => error instanceof MediaError,
  },
  {
    name: 'json',
    seeds: JSONS.map((text) => Buffer.from(text)),
    maxBytes: MAX_BYTES,
    run: (bytes) => readJson(bytes),
    isRefusal: (error) => error instanceof ProblemError,
  },
  {
    name: 'form',
    seeds: [Buffer.from(FORM), Buffer.from(JSON_FORM, 'latin1')],
    prepare: startServer,
    maxBytes: MAX_BYTES,
    run: runForm,
    isRefusal: (error) => error instanceof Refused,
  },
];
