/** Every route of the running app, as each of those who might ask: whoever adds a route has to say here what it shows. */

import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { FastifyInstance, RouteOptions } from 'fastify';
import t, { type Test } from 'tap';
import type { AvatarView } from '../../src/http/schemas/avatar.js';
import { parseNetworks } from '../../src/outbound/addresses.js';
import { type RunningApp, startApp } from '../support/app.js';
import { callersFile, keyOf } from '../support/callers.js';
import { bearer } from '../support/directory.js';
import { EventReader } from '../support/events.js';
import { CALLBACK_NETWORKS } from '../support/receiver.js';
import { redisUrl } from '../support/redis.js';
import { STORES } from '../support/replicas.js';
import { URLS } from '../support/requests.js';
import { until } from '../support/until.js';

const CALLERS = {
  owner: {},
  other: {},
  boss: { admin: true },
  former: { expires_at: '2020-01-01T00:00:00Z' },
};

const KEYS = {
  owner: keyOf('owner'),
  other: keyOf('other'),
  admin: keyOf('boss'),
  expired: keyOf('former'),
  wrong: keyOf('nobody'),
} as const;

const SENDERS = ['anonymous', 'wrong', 'expired', 'other', 'admin'] as const;
type Sender = (typeof SENDERS)[number] | 'owner';
const STRANGERS: ReadonlySet<Sender> = new Set(['anonymous', 'wrong', 'expired']);

const callbacks = { allowedNetworks: parseNetworks(CALLBACK_NETWORKS) };

const pushes = { url: 'https://gateway.example', listen: null };

/** However slow this machine is, what has ended is not forgotten meanwhile. */
const gateway = { retentionMs: 24 * 3_600_000 };

const UNKNOWN = `av_${'0'.repeat(32)}`;
const JSON_TYPE = { 'content-type': 'application/json' };
const POST_JSON = { method: 'POST', headers: JSON_TYPE, body: JSON.stringify(URLS) };

/** How a route that is not open is asked; `:id` in its path stands for an avatar of the owner. */
const RECIPES: Readonly<Record<string, RequestInit>> = {
  'POST /avatars': POST_JSON,
  'GET /avatars': {},
  'POST /avatars/check': POST_JSON,
  'GET /usage': {},
  'GET /avatars/events': { headers: { 'last-event-id': '1' } },
  'GET /avatars/:id': {},
  'GET /avatars/:id/events': {},
  'GET /avatars/:id/video': {},
  'GET /avatars/:id/deliveries': {},
  'POST /avatars/:id/cancel': { method: 'POST' },
  'POST /avatars/:id/redeliver': { method: 'POST' },
  'POST /avatars/:id/resolve': { method: 'POST', headers: JSON_TYPE, body: '{"made":false}' },
  'DELETE /avatars/:id': { method: 'DELETE' },
  'POST /api/v1/image-to-video/kling/kling-avatar/async': POST_JSON,
  'POST /api/v1/kling/kling-avatar/async': POST_JSON,
  'POST /api/v1/kling/kling-avatar': POST_JSON,
  'GET /api/v1/tasks/:id': {},
  'GET /api/v1/team/balance': {},
};

interface Route {
  readonly method: string;
  readonly url: string;
  readonly access: string | undefined;
}

/** What an answer is, apart from what differs from one request to the next. */
interface Seen {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
}

const VARYING = new Set(['date', 'x-request-id', 'ratelimit', 'ratelimit-policy', 'x-ratelimit-reset']);
VARYING.add('x-ratelimit-remaining');

/** A stream goes on for ever, and pages are large. */
function wants({ status, headers }: Response): boolean {
  return status >= 400 || headers.get('content-type')?.startsWith('application/json') === true;
}

async function ask(url: string, sender: Sender, init: RequestInit = {}): Promise<Seen> {
  const key = sender === 'anonymous' ? {} : bearer(KEYS[sender]);
  const headers = { ...(init.headers as Record<string, string>), ...key };
  const response = await fetch(url, { ...init, headers, redirect: 'manual' });
  const text = wants(response) ? await response.text() : '';
  if (!response.bodyUsed) await response.body?.cancel();
  const kept = [...response.headers].filter(([name]) => !VARYING.has(name));
  return {
    status: response.status,
    headers: Object.fromEntries(kept),
    text: text
      .replace(/av_[0-9a-f]{32}/g, 'ID')
      .replace(/"request_id":"[^"]*"/, '')
      .replace(/\?expires=\d+&signature=[\w-]{43}/, '?LINK'), // They differ by the second.
  };
}

/** The routes that are registered while something is started, with their rules. */
async function routesOf<T>(start: () => Promise<T>): Promise<[T, Route[]]> {
  const options: RouteOptions[] = [];
  const note = (message: unknown) => {
    (message as { fastify: FastifyInstance }).fastify.addHook('onRoute', (route) => {
      options.push(route);
    });
  };
  subscribe('fastify.initialization', note);
  const started = await start();
  unsubscribe('fastify.initialization', note);
  const routes = options.map(({ method, url, config }) => {
    // One handler refuses all methods of a path that are not allowed there.
    const methods = [method].flat();
    const shown = methods.find((each) => each === 'PATCH') ?? methods[0] ?? '';
    return { method: shown, url, access: config?.access };
  });
  return [started, routes];
}

async function make(app: RunningApp, sender: Sender, headers = {}, change = {}): Promise<AvatarView> {
  const key = bearer(KEYS[sender as keyof typeof KEYS]);
  const body = JSON.stringify({ ...URLS, ...change });
  const init = { method: 'POST', headers: { ...JSON_TYPE, ...key, ...headers }, body };
  const response = await fetch(`${app.url}/avatars`, init);
  if (response.status !== 202) throw new Error(`${response.status}: ${await response.text()}`);
  return (await response.json()) as AvatarView;
}

async function judge(
  t: Test,
  app: RunningApp,
  { method, url, access }: Route,
  sender: Sender,
  ids: string[],
) {
  const recipe = RECIPES[`${method === 'HEAD' ? 'GET' : method} ${url}`];
  if (access === 'open') return open(t, `${app.url}${url.replace('*', 'index.css')}`, method, sender);
  if (recipe === undefined) return void t.fail('say in RECIPES how it is asked');
  const init = { ...recipe, method };
  const path = `${app.url}${url}`;
  if (!url.includes(':id')) {
    const { status, headers } = await ask(path, sender, init);
    if (STRANGERS.has(sender)) return isRefused(t, { status, headers }, sender);
    const owners = await ask(path, 'owner', init);
    t.equal(status, owners.status, 'as the owner');
    return;
  }
  for (const id of ids) {
    const seen = await ask(path.replace(':id', id), sender, init);
    const unknown = await ask(path.replace(':id', UNKNOWN), sender, init);
    if (STRANGERS.has(sender)) {
      isRefused(t, seen, sender);
      t.strictSame(seen, unknown, 'nobody learns whether it is there');
    } else if (sender === 'other') {
      t.equal(seen.status, access === 'admin' ? 403 : 404);
      t.strictSame(seen, unknown, 'as one that is not there');
    } else if (access === 'admin') {
      t.equal((await ask(path.replace(':id', id), 'owner', init)).status, 403, 'the owner may not');
      t.notOk([401, 403, 404].includes(seen.status), `${seen.status}`);
      t.equal(unknown.status, 404);
    } else {
      t.strictSame(seen, await ask(path.replace(':id', id), 'owner', init), 'as the owner');
      t.notOk([401, 403, 404].includes(seen.status), `${seen.status}`);
    }
  }
}

async function open(t: Test, url: string, method: string, sender: Sender): Promise<void> {
  const { status, text } = await ask(url.replace(':token', 'none-of-ours'), sender, { method });
  if (url.endsWith('/modellix/:token')) return void t.equal(status, 404, 'a token is all that counts');
  if (!url.endsWith('/apikey/validate') || method === 'PATCH') {
    const expected = method === 'PATCH' ? 405 : url.endsWith('/static/index.html') ? 302 : 200;
    t.equal(status, expected, 'everyone is served');
    return;
  }
  // Asking whether a key is good is for those who do not know.
  t.equal(status, sender === 'anonymous' ? 401 : 200);
  if (method === 'GET' && status === 200) {
    t.match(JSON.parse(text), { data: { is_valid: !STRANGERS.has(sender) } });
  }
}

function isRefused(t: Test, { status, headers }: Omit<Seen, 'text'>, sender: Sender): void {
  t.equal(status, 401);
  const error = sender === 'anonymous' ? '' : ', error="invalid_token"';
  t.equal(headers['www-authenticate'], `Bearer realm="avatar-gateway"${error}`);
}

for (const store of STORES) {
  t.test(`${store}: who sees what`, async (t) => {
    const redis = store === 'redis' ? { redis: await redisUrl(t) } : {};
    const { file } = await callersFile(t, CALLERS);
    const callers = { kind: 'file', file } as const;
    const [app, all] = await routesOf(() => startApp(t, { ...redis, callers, callbacks, gateway, pushes }));
    await until('ready', async () => ((await fetch(`${app.url}/readyz`)).ok ? true : null));
    t.ok(all.length > 50, `${all.length} routes`);
    // What is open to everyone has nothing to do with the store.
    const routes = all.filter(({ access }) => store === 'embedded' || access !== 'open');
    const pending = await make(app, 'owner', {}, { callback_url: 'http://127.0.0.1:9/' });
    const done = await make(app, 'owner');
    app.simulator.settle(String(done.task_id), { end: 'success' });
    const read = (id: string) => ask(`${app.url}/avatars/${id}`, 'owner');
    await until('success', async () => /"succeeded"/.test((await read(done.id)).text) || null);

    let passed = 0;
    for (const route of routes) {
      // What ends an avatar is tried on one that it cannot end: it is to be there for all of them. One alone has a callback.
      const isOne = route.method === 'DELETE' || route.url.endsWith('/deliveries');
      const ids = isOne ? [pending.id] : [pending.id, done.id];
      for (const sender of SENDERS) {
        const name = `${route.method} ${route.url} (${route.access}) as ${sender}`;
        const result = await t.test(name, async (t) => judge(t, app, route, sender, ids));
        if (result?.ok) passed += 1;
      }
    }
    const cells = routes.length * SENDERS.length;
    t.comment(`${store}: who sees what: ${passed} of ${cells}`);
    t.equal(passed, cells, 'all of them');

    await t.test('a final avatar goes by the word of its owner alone', async (t) => {
      const path = `${app.url}/avatars/${done.id}`;
      for (const sender of ['anonymous', 'wrong', 'expired', 'other'] as const) {
        const { status } = await ask(path, sender, { method: 'DELETE' });
        t.equal(status, sender === 'other' ? 404 : 401, sender);
        t.equal((await read(done.id)).status, 200, 'it is still there');
      }
      t.equal((await ask(path, 'owner', { method: 'DELETE' })).status, 204);
    });

    await t.test('an idempotency key is its caller’s own', async (t) => {
      const headers = { 'idempotency-key': 'the-same' };
      const [mine, others] = [await make(app, 'owner', headers), await make(app, 'other', headers)];
      t.not(mine.id, others.id);
      t.equal((await make(app, 'owner', headers)).id, mine.id);
    });

    const idsFor = async (sender: Sender) => {
      const response = await fetch(`${app.url}/avatars?limit=100`, {
        headers: bearer(KEYS[sender as 'owner']),
      });
      return ((await response.json()) as { data: AvatarView[] }).data.map(({ id }) => id);
    };
    await t.test('a list has the avatars of its caller, and a cursor is of that list', async (t) => {
      const [mine, others] = [await idsFor('owner'), await idsFor('other')];
      t.ok(mine.includes(pending.id));
      t.ok(others.length > 0 && !others.some((id) => mine.includes(id)));
      const { headers } = await ask(`${app.url}/avatars?limit=1`, 'owner');
      const next = /<([^>]+)>/.exec(headers.link ?? '')?.[1];
      t.equal((await ask(`${app.url}${next}`, 'owner')).status, 200);
      t.match(await ask(`${app.url}${next}`, 'other'), { status: 400, text: /invalid-cursor/ });
    });

    await t.test('what happened is replayed to whom it happened', async (t) => {
      const own = await make(app, 'other');
      const stream = await EventReader.open(`${app.url}/avatars/events`, '1', bearer(KEYS.other));
      t.teardown(() => stream.drop());
      const mine = await idsFor('owner');
      for (;;) {
        const event = await stream.next();
        if (event === null) return void t.fail('it ended');
        if (event.event === 'reset') continue;
        t.notOk(mine.includes(event.avatar.id), event.avatar.id);
        if (event.avatar.id === own.id) return;
      }
    });

    await t.test('an admin lists and hears of everyone', async (t) => {
      const everyones = await idsFor('admin');
      for (const sender of ['owner', 'other'] as const) {
        for (const id of await idsFor(sender)) t.ok(everyones.includes(id));
      }
      const stream = await EventReader.open(`${app.url}/avatars/events`, '1', bearer(KEYS.admin));
      t.teardown(() => stream.drop());
      await stream.find(({ event, avatar }) => event === 'avatar' && avatar.id === pending.id);
    });

    const logged = app.logLines().join('\n');
    for (const key of Object.values(KEYS)) t.notOk(logged.includes(key), 'no key stands in the log');
  });
}
