/**
 * What must not get out: the API key, the password of Redis and what callbacks are signed with, in any answer, log, record
 * or file, and the media in any log. One run with all that goes wrong upstream, logged at `trace`, with an upstream that
 * repeats what it was sent; and one that is looked at from inside and crashes.
 */

import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import t, { type Test } from 'tap';
import { example } from '../../src/http/schemas/examples.js';
import { idIn } from '../../src/store/redis/ids.js';
import { documentIn } from '../../src/store/redis/records.js';
import { WEBHOOK_SECRET } from '../support/app.js';
import { callersFile, keyOf } from '../support/callers.js';
import { runGateway } from '../support/processes.js';
import { startRedis } from '../support/redis.js';
import { until } from '../support/until.js';
import { API_KEY, Caller, misfortunes } from './misfortunes.js';
import { gatewayFor, settingsFor, simulatorFor, tempDir } from './support.js';

t.setTimeout(600_000);

const PASSWORD = 'redis-pa55word-e2e-0123456789';

/** A secret as it is and in the shapes it takes on the way. */
const shapesOf = (secret: string): string[] => [
  secret,
  JSON.stringify(secret).slice(1, -1),
  encodeURIComponent(secret),
  Buffer.from(secret).toString('base64').replace(/=+$/, ''),
];
const SECRETS = [API_KEY, PASSWORD, WEBHOOK_SECRET.slice('whsec_'.length)].flatMap(shapesOf);
const MEDIA = [example.image.slice(0, 64), example.sound_file.slice(0, 64)];

/** Whether a text holds one of the needles, without printing either. */
function holdsNone(t: Test, what: string, text: string, needles: readonly string[]): void {
  const found = needles.findIndex((needle) => text.includes(needle));
  const at = found === -1 ? -1 : text.indexOf(needles[found] ?? '');
  t.equal(found, -1, found === -1 ? what : `${what}: …${text.slice(Math.max(0, at - 200), at)}`);
}

/** Every file of a folder, as bytes that can be searched. */
async function bytesUnder(dir: string): Promise<string> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return (await Promise.all(files.map((file) => readFile(file, 'latin1')))).join('\n');
}

async function redisContents(t: Test, url: string): Promise<string> {
  const client = new Redis(url);
  t.teardown(() => client.disconnect());
  const found: unknown[] = [];
  for (const key of await client.keys('*')) {
    const type = await client.type(key);
    if (type === 'hash') found.push(key, await client.hgetall(key));
    else if (type === 'string') found.push(key, await client.get(key), await unpacked(client, key));
    else if (type === 'zset') found.push(key, await client.zrange(key, '0', '-1'));
    else if (type === 'set') found.push(key, await client.smembers(key));
    else found.push(key, String(await client.dump(key)));
  }
  return found
    .map((value) =>
      typeof value === 'string'
        ? value
        : Object.entries(value ?? {})
            .flat()
            .join('\n'),
    )
    .join('\n');
}

/** The record of an avatar lies there packed; nothing else is in pieces. */
async function unpacked(client: Redis, key: string): Promise<string> {
  const word = /:avatar:(.*)$/.exec(key)?.[1];
  const id = word === undefined ? undefined : idIn(word);
  const stored = id === undefined ? null : await client.getBuffer(key);
  return id === undefined || stored === null ? '' : String(documentIn(id, stored));
}

const settings = { keys: { [API_KEY]: { team: 'team', valid: true } } };
const verbose = { MODELLIX_API_KEY: API_KEY, WEBHOOK_SECRETS: WEBHOOK_SECRET, LOG_LEVEL: 'trace' };

t.test('embedded: neither key nor media gets out', async (t) => {
  const simulator = await simulatorFor(t, { settings });
  const dir = await tempDir(t);
  const gateway = await gatewayFor(t, { ...settingsFor(simulator), ...verbose, DATA_DIR: dir });
  const caller = new Caller(gateway.url);
  await misfortunes(t, simulator, caller);
  await simulator.pause();
  await caller.create();
  t.equal(await gateway.stop(), 0);

  t.ok(
    simulator.calls('submit').every(({ key }) => key === API_KEY),
    'Modellix was sent the key',
  );
  t.ok(
    simulator.calls('result').every(({ authorization }) => !authorization),
    'the host of the video was not',
  );
  t.ok(gateway.output().includes('submit settled'), 'it logged');
  holdsNone(t, 'what it logged', gateway.output(), [...SECRETS, ...MEDIA]);
  holdsNone(t, 'what it answered', caller.heard.join('\n\n'), SECRETS);
  t.match(caller.heard.join('\n'), /\[key\]/, 'where the key was, it says so');
  const files = await bytesUnder(dir);
  holdsNone(t, 'its files', files, SECRETS);
  t.ok(
    MEDIA.every((media) => files.includes(media)),
    'the media of what waits is there, so the files were read',
  );
});

t.test('redis: neither key, password nor media gets out', async (t) => {
  const simulator = await simulatorFor(t, { settings });
  const redis = await startRedis(t, { appendonly: true, args: ['--requirepass', PASSWORD] });
  const url = `redis://:${PASSWORD}@127.0.0.1:${redis.port}`;
  const dir = await tempDir(t);
  const env = { ...settingsFor(simulator), ...verbose, DATA_DIR: dir };

  const wrong = `${PASSWORD}-but-wrong`;
  const locked = await gatewayFor(t, {
    ...env,
    REDIS_URL: url.replace(PASSWORD, wrong),
    DATA_DIR: join(dir, 'locked'),
  });
  const lockedOut = new Caller(locked.url);
  t.equal((await lockedOut.create()).status, 503);
  t.equal((await lockedOut.call('GET', '/readyz')).status, 503);
  t.equal(await locked.stop(), 0);

  const gateway = await gatewayFor(t, { ...env, REDIS_URL: url });
  const caller = new Caller(gateway.url);
  const ready = async (status: number) =>
    (await caller.call('GET', '/readyz')).status === status ? true : null;
  await until('ready', () => ready(200));
  await misfortunes(t, simulator, caller);
  await redis.kill();
  await until('not ready', () => ready(503));
  t.equal((await caller.create()).status, 503);
  await redis.start();
  await until('ready again', () => ready(200));
  await simulator.pause();
  t.equal((await caller.create()).status, 202);
  t.equal(await gateway.stop(), 0);

  const logged = `${locked.output()}${gateway.output()}`;
  holdsNone(t, 'what it logged', logged, [...SECRETS, ...MEDIA]);
  holdsNone(t, 'what it answered', [...lockedOut.heard, ...caller.heard].join('\n\n'), SECRETS);
  holdsNone(t, 'its files', await bytesUnder(dir), SECRETS);
  const records = await redisContents(t, url);
  holdsNone(t, 'its records', records, SECRETS);
  t.ok(
    MEDIA.every((media) => records.includes(media)),
    'the media of what waits is there, so the records were read',
  );
});

/** What a caller's own callbacks are signed with. */
const OWN_SECRET = 'whsec_TVZEVlFuTjBWV1ZYYUdWWVlXVkZiR05XVWtoVw==';

t.test('neither from inside, in a crash, nor of what callers send', async (t) => {
  const callers = keyOf('shop');
  const secrets = [...SECRETS, ...shapesOf(callers), ...shapesOf(OWN_SECRET.slice('whsec_'.length))];
  const { file } = await callersFile(t, { shop: { webhook_secrets: [OWN_SECRET] } });
  const gateway = await gatewayFor(
    t,
    {
      ...verbose,
      CALLERS_FILE: file,
      REDIS_URL: `redis://:${PASSWORD}@127.0.0.1:1`,
      DATA_DIR: await tempDir(t),
    },
    { preload: './test/support/show-on-message.mjs' },
  );
  const form = new FormData();
  form.set('image', new Blob([Buffer.from(example.image, 'base64')]), 'portrait.jpg');
  const headers = { authorization: `Bearer ${callers}`, cookie: `key=${callers}` };
  const requests: readonly (readonly [string, RequestInit])[] = [
    [`/avatars?key=${callers}`, {}],
    // Without Redis nothing is counted, and so no avatar made: this one is looked at all the same.
    ['/avatars/check', { method: 'POST', body: form }],
    ['/avatars', { method: 'POST', body: JSON.stringify(example) }],
    ['/readyz', {}],
    ['/metrics', {}],
  ];
  for (const [path, init] of requests) {
    const response = await fetch(`${gateway.url}${path}`, { ...init, headers });
    const told = [...response.headers].join('\n') + (await response.text());
    holdsNone(t, `what ${path} answers`, told, secrets);
  }
  gateway.send(PASSWORD);
  t.equal(await gateway.exited, 1);
  const output = gateway.output();
  for (const part of ['DATA_DIR', 'execPath', 'javascriptHeap', 'thrown by a test']) {
    t.ok(output.includes(part), `${part} is there to be looked through`);
  }
  holdsNone(t, 'what it logged and showed', output, secrets);
});

t.test('a start that is refused shows no secret', async (t) => {
  const env = {
    MODELLIX_API_KEY: API_KEY,
    REDIS_URL: `redis://:${PASSWORD}@127.0.0.1:1`,
    LOG_LEVEL: 'trace',
  };
  // test/config.test.ts has the others.
  const wrong: readonly Record<string, string>[] = [
    { MODELLIX_API_KEY: '', MODELLIX_API_KEY_FILE: API_KEY },
    { MODELLIX_BASE_URL: `https://:${API_KEY}@modellix.test` },
    { REDIS_URL: `${env.REDIS_URL}:port` },
  ];
  for (const change of wrong) {
    const { code, stdout, stderr } = await runGateway([], { ...env, ...change });
    t.equal(code, 2, Object.keys(change).join());
    holdsNone(t, 'what it said', stdout + stderr, SECRETS);
  }
});
