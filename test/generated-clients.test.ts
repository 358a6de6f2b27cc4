/** Clients that two generators make of openapi/openapi.json: they compile, and work against a running gateway. */

import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import t from 'tap';
import { startApp } from './support/app.js';
import { FILE } from './support/openapi.js';

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL('../', import.meta.url));
const BIN = join(ROOT, 'node_modules/.bin');
const MEDIA = join(ROOT, 'test/demo');

const TSCONFIG = {
  compilerOptions: {
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    module: 'nodenext',
    target: 'es2022',
    lib: ['es2023', 'dom', 'dom.iterable'],
    types: ['node'],
  },
  include: ['*.mts'],
};

/** As openapi-ts.dev has it, "Transform": a file is a Blob. */
const TYPES = `
import { writeFile } from 'node:fs/promises';
import openapiTS, { astToString } from 'openapi-typescript';
import ts from 'typescript';

const blob = ts.factory.createTypeReferenceNode('Blob');
const [, , document = '', file = ''] = process.argv;
const nodes = await openapiTS(new URL(document), {
  transform: ({ format }) => (format === 'binary' ? blob : undefined),
});
await writeFile(file, astToString(nodes));
`;

/** The types of openapi-typescript, with openapi-fetch: JSON, and a form with files and JSON in a part. */
const OPENAPI_FETCH = `
import { openAsBlob } from 'node:fs';
import createClient from 'openapi-fetch';
import type { components, paths } from './schema.mjs';

const [, , baseUrl = '', media = ''] = process.argv;
const client = createClient<paths>({ baseUrl, querySerializer: { array: { style: 'form', explode: false } } });
const image = await openAsBlob(media + '/portrait.jpg', { type: 'image/jpeg' });
const sound_file = await openAsBlob(media + '/speech.mp3', { type: 'audio/mpeg' });

const form = await client.POST('/avatars', {
  body: { image, sound_file, mode: 'pro', metadata: { order: '1042' } },
  bodySerializer(body) {
    const data = new FormData();
    for (const [name, value] of Object.entries(body)) {
      const isText = typeof value === 'string' || value instanceof Blob;
      data.append(name, isText ? value : new Blob([JSON.stringify(value)], { type: 'application/json' }));
    }
    return data;
  },
});
const made: components['schemas']['Avatar'] | undefined = form.data;
if (made === undefined) throw new Error(JSON.stringify(form.error));
const status: 'queued' | 'submitting' | 'pending' | 'processing' | 'succeeded' | 'failed' | 'timed_out' | 'canceled' | 'unconfirmed' =
  made.status;

const json = await client.POST('/avatars', { body: { image: 'https://example.com/a.jpg', audio_id: 'audio-1' } });
const read = await client.GET('/avatars/{id}', { params: { path: { id: made.id } } });
const list = await client.GET('/avatars', { params: { query: { limit: 1, status: ['pending', 'queued'] } } });
const check = await client.POST('/avatars/check', { body: { image: 'https://example.com/a.jpg', audio_id: 'audio-1' } });
const cancel = await client.POST('/avatars/{id}/cancel', { params: { path: { id: made.id } } });
const usage = await client.GET('/usage');
// @ts-expect-error: a limit is a number
void (() => client.GET('/avatars', { params: { query: { limit: '1' } } }));

console.log(JSON.stringify({
  status,
  metadata: made.metadata,
  image: made.image.format,
  mode: made.mode,
  json: json.data?.audio.source,
  read: read.data?.id === made.id,
  list: list.data?.data.length,
  more: list.data?.has_more,
  check: check.data?.cost.currency,
  cancel: cancel.error?.status,
  usage: usage.data?.total.reserved.avatars,
}));
`;

const OAZAPFTS = `
import * as api from './client.mjs';

const [, , baseUrl = ''] = process.argv;
api.defaults.baseUrl = baseUrl;
const request = { image: 'https://example.com/a.jpg', audio_id: 'audio-1', mode: 'std', metadata: { order: '7' } } as const;

const created = await api.createAvatar(request, { idempotencyKey: 'key-1' });
if (created.status !== 202) throw new Error(JSON.stringify(created.data));
const again = await api.createAvatar(request, { idempotencyKey: 'key-1' });
const { id, status } = created.data;
const word: 'queued' | 'submitting' | 'pending' | 'processing' | 'succeeded' | 'failed' | 'timed_out' | 'canceled' | 'unconfirmed' =
  status;
const read = await api.getAvatar(id);
const list = await api.listAvatars({ limit: 2, status: ['pending', 'queued'] });
const check = await api.checkAvatar(request);
const cancel = await api.cancelAvatar(id);
const usage = await api.getUsage();
// @ts-expect-error: a limit is a number
void (() => api.listAvatars({ limit: '1' }));

console.log(JSON.stringify({
  word,
  metadata: created.data.metadata,
  again: again.status === 202 && again.data.id === id,
  read: read.status === 200 && read.data.id === id,
  list: list.status === 200 ? list.data.data.length : list.data,
  check: check.status === 200 ? check.data.mode : check.data,
  cancel: cancel.status,
  usage: usage.status === 200 ? usage.data.currency : usage.data,
}));
`;

t.test('[E16] generated clients', async (t) => {
  const dir = await mkdtemp(join(tmpdir(), 'avatar-gateway-generated-'));
  t.teardown(() => rm(dir, { recursive: true, force: true }));
  await symlink(join(ROOT, 'node_modules'), join(dir, 'node_modules'));
  const texts = { 'types.mts': TYPES, 'openapi-fetch.mts': OPENAPI_FETCH, 'oazapfts.mts': OAZAPFTS };
  for (const [name, text] of Object.entries(texts)) await writeFile(join(dir, name), text);
  await writeFile(join(dir, 'tsconfig.json'), JSON.stringify(TSCONFIG));
  const cwd = dir;

  await run(join(BIN, 'tsx'), ['types.mts', FILE.href, 'schema.mts'], { cwd });
  await run(join(BIN, 'oazapfts'), [fileURLToPath(FILE), 'client.ts'], { cwd });
  await writeFile(join(dir, 'client.mts'), await readFile(join(dir, 'client.ts')));
  await rm(join(dir, 'client.ts'));
  const checked = await run(join(BIN, 'tsc'), ['-p', 'tsconfig.json'], { cwd }).catch(
    (error) => error as { stdout: string },
  );
  t.equal(checked.stdout, '', 'the programs compile');

  const app = await startApp(t);
  const outputOf = async (program: string) => {
    const { stdout } = await run(join(BIN, 'tsx'), [program, app.url, MEDIA], { cwd });
    return JSON.parse(stdout) as unknown;
  };
  t.strictSame(await outputOf('openapi-fetch.mts'), {
    status: 'pending',
    metadata: { order: '1042' },
    image: 'jpeg',
    mode: 'pro',
    json: 'audio_id',
    read: true,
    list: 1,
    more: true,
    check: 'USD',
    cancel: 409,
    usage: 2,
  });
  t.strictSame(await outputOf('oazapfts.mts'), {
    word: 'pending',
    metadata: { order: '7' },
    again: true,
    read: true,
    list: 2,
    check: 'std',
    cancel: 409,
    usage: 'USD',
  });
  t.equal(app.simulator.ledger().length, 3);
});

t.test('[E16] the document says of each value what it is', async (t) => {
  const document = JSON.parse(await readFile(FILE, 'utf8')) as object;
  const untyped: string[] = [];
  const walk = (value: unknown, path: string): void => {
    if (typeof value !== 'object' || value === null) return;
    if ('enum' in value && Array.isArray(value.enum) && !('type' in value)) untyped.push(path);
    for (const [name, each] of Object.entries(value)) walk(each, `${path}/${name}`);
  };
  walk(document, '');
  t.strictSame(untyped, [], 'every enum has a type');
});
