import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import type { Config } from '../src/config/config.js';
import { ConfigError, readConfig, SETTINGS } from '../src/config/read-config.js';
import { Environment } from '../src/config/settings.js';
import { strayIn } from '../src/config/stray-settings.js';
import { INACTIVE_MS } from '../src/http/connection-limits.js';
import { readProxies } from '../src/modellix/proxies.js';

const KEY = 'mx-0123456789';
const SECRET = 'sk-do-not-show-me';

/** A store in Redis as it is unless told otherwise. */
const REDIS = {
  kind: 'redis',
  keyPrefix: 'avatar-gateway',
  durability: 'warn',
  sentinelPassword: undefined,
  tlsCa: undefined,
  tlsServername: undefined,
  files: { url: undefined, sentinelPassword: undefined, tlsCa: undefined },
  waitFor: { replicas: 0, ownFile: false },
};

/** A secret of so many bytes for callbacks, which spells {@link SECRET} where it can. */
const whsec = (bytes: number) => `whsec_${Buffer.alloc(bytes, SECRET).toString('base64')}`;

/** The configuration of an environment that holds a key and what is given. */
function configOf(env: Record<string, string> = {}): Config {
  return readConfig({ MODELLIX_API_KEY: KEY, ...env });
}

function refusal(env: Record<string, string | undefined>): string {
  try {
    readConfig(env);
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  return 'accepted';
}

t.test('a key is all it needs', async (t) => {
  t.strictSame(configOf(), {
    host: '127.0.0.1',
    port: 8080,
    logLevel: 'info',
    callers: { kind: 'loopback' },
    secretFiles: [],
    trustedProxies: [],
    management: null,
    pushes: null,
    maxConnections: 25_000,
    rateLimitPerMinute: 1200,
    rateLimitFails: 'open',
    usdPerSecond: { std: 0.0448, pro: 0.0896 },
    requireIdempotencyKey: false,
    maxWaiters: 20_000,
    readStalenessMs: 0,
    publicUrl: null,
    shutdownDelayMs: 0,
    allowedHosts: [],
    shutdownGraceMs: 60_000,
    media: {
      maxBytes: 256_000_000,
      uploadStallMs: 10_000,
      urls: { check: 'off', timeoutMs: 10_000, allowedNetworks: [] },
    },
    callbacks: { secrets: [], timeoutMs: 10_000, allowedNetworks: [] },
    videos: { stallMs: 60_000, allowedNetworks: [], keep: null },
    dataDir: './data',
    modellix: {
      keys: [KEY],
      keyFile: null,
      baseUrl: 'https://api.modellix.ai',
      submitPaths: [
        '/api/v1/image-to-video/kling/kling-avatar/async',
        '/api/v1/kling/kling-avatar',
        '/api/v1/kling/kling-avatar/async',
      ],
      tasksPath: '/api/v1/tasks',
      proxies: { http: undefined, https: undefined, except: undefined },
      connectTimeoutMs: 5000,
      submitTimeoutMs: 60_000,
      queryTimeoutMs: 15_000,
      videoTimeoutMs: 30_000,
      longPollMs: 0,
    },
    limits: { callsPerMinute: 100, tasks: 3 },
    store: { kind: 'embedded' },
    gateway: {
      submitGraceMs: 10_000,
      pollMinMs: 1000,
      pollMaxMs: 15_000,
      queueBounds: { maxAvatars: 10_000, maxBytes: 1_000_000_000 },
      unconfirmedHoldMs: 600_000,
      queueTimeoutMs: 86_400_000,
      taskTimeoutMs: 3_600_000,
      retentionMs: 604_800_000,
      notMadeOn: new Set([429]),
    },
  });
});

t.test('[R10] proxies, in either spelling', async (t) => {
  const way = (env: Record<string, string>, url = 'https://api.modellix.ai') =>
    readProxies(configOf(env).modellix.proxies)(new URL(url))?.origin;
  t.equal(way({}), undefined);
  t.equal(way({ HTTPS_PROXY: 'proxy.test:3128' }), 'http://proxy.test:3128');
  t.equal(way({ https_proxy: 'http://lower.test', HTTPS_PROXY: 'http://upper.test' }), 'http://lower.test');
  t.equal(way({ HTTPS_PROXY: 'http://proxy.test', no_proxy: 'modellix.ai' }), undefined);
  t.equal(way({ HTTP_PROXY: 'http://proxy.test' }), undefined, 'that is for http');
  t.equal(way({ HTTP_PROXY: 'http://proxy.test' }, 'http://modellix.test'), 'http://proxy.test');
});

t.test('[R11] files of secrets are known, so that they can be read again', async (t) => {
  const dir = await mkdtemp(join(tmpdir(), 'avatar-gateway-config-'));
  t.teardown(() => rm(dir, { recursive: true }));
  const [url, sentinelPassword] = [join(dir, 'url'), join(dir, 'password')];
  await writeFile(url, 'redis+sentinel://one/main\n');
  await writeFile(sentinelPassword, 'secret\n');
  const { store } = configOf({ REDIS_URL_FILE: url, REDIS_SENTINEL_PASSWORD_FILE: sentinelPassword });
  const files = { url, sentinelPassword, tlsCa: undefined };
  t.match(store, { url: 'redis+sentinel://one/main', sentinelPassword: 'secret', files });
});

t.test('what is given is used', async (t) => {
  const good: readonly [Record<string, string>, (config: Config) => unknown, unknown][] = [
    [{ PORT: '0' }, ({ port }) => port, 0],
    [{ PORT: '65535' }, ({ port }) => port, 65_535],
    [{ HOST: '::1' }, ({ host }) => host, '::1'],
    [{ HOST: 'localhost' }, ({ host }) => host, 'localhost'],
    [{ HOST: '127.0.0.53' }, ({ host }) => host, '127.0.0.53'],
    [{ HOST: '0.0.0.0', ALLOW_ANONYMOUS: 'true' }, ({ host }) => host, '0.0.0.0'],
    [{ LOG_LEVEL: 'silent' }, ({ logLevel }) => logLevel, 'silent'],
    [{ DATA_DIR: '/var/lib/x' }, ({ dataDir }) => dataDir, '/var/lib/x'],
    [
      { MODELLIX_BASE_URL: 'http://simulator:9090/' },
      ({ modellix }) => modellix.baseUrl,
      'http://simulator:9090',
    ],
    [
      { MODELLIX_BASE_URL: 'https://apis.test/modellix/v2/' },
      ({ modellix }) => modellix.baseUrl,
      'https://apis.test/modellix/v2',
    ],
    [{ PUBLIC_URL: 'https://avatars.test/' }, ({ publicUrl }) => publicUrl, 'https://avatars.test'],
    [{ PUBLIC_URL: 'https://avatars.test/gw/' }, ({ publicUrl }) => publicUrl, 'https://avatars.test/gw'],
    [{ ALLOWED_HOSTS: 'A.test,.b.test,*' }, ({ allowedHosts }) => allowedHosts, ['a.test', '.b.test', '*']],
    [{ MODELLIX_BASE_URL: 'http://[::1]:9090' }, ({ modellix }) => modellix.baseUrl, 'http://[::1]:9090'],
    [{ MODELLIX_SUBMIT_PATH: '/submit' }, ({ modellix }) => modellix.submitPaths, ['/submit']],
    [{ MODELLIX_SUBMIT_PATH: '/b,/a,/b' }, ({ modellix }) => modellix.submitPaths, ['/b', '/a']],
    [{ MODELLIX_TASKS_PATH: '/tasks' }, ({ modellix }) => modellix.tasksPath, '/tasks'],
    [{ MODELLIX_SUBMIT_TIMEOUT_SECONDS: '1' }, ({ modellix }) => modellix.submitTimeoutMs, 1000],
    [{ POLL_MIN_SECONDS: '9', POLL_MAX_SECONDS: '9' }, ({ gateway }) => gateway.pollMaxMs, 9000],
    [{ VIDEO_STALL_SECONDS: '5' }, ({ videos }) => videos.stallMs, 5000],
    [
      { KEEP_VIDEOS_DIR: '/videos' },
      ({ videos }) => videos.keep,
      { dir: '/videos', maxBytes: 200_000_000, maxTotalBytes: 20_000_000_000 },
    ],
    [
      { KEEP_VIDEOS_DIR: '/videos', KEEP_VIDEO_MAX_MEGABYTES: '1', KEEP_VIDEOS_MAX_GIGABYTES: '2' },
      ({ videos }) => videos.keep,
      { dir: '/videos', maxBytes: 1_000_000, maxTotalBytes: 2_000_000_000 },
    ],
    [{ KEEP_VIDEO_MAX_MEGABYTES: '1' }, ({ videos }) => videos.keep, null],
    [{ CALLBACK_TIMEOUT_SECONDS: '3' }, ({ callbacks }) => callbacks.timeoutMs, 3000],
    [{ TRUSTED_PROXIES: '10.0.0.0/8,fd00::/8' }, ({ trustedProxies }) => trustedProxies.length, 2],
    [{ MANAGEMENT_PORT: '9000' }, ({ management }) => management, { host: '127.0.0.1', port: 9000 }],
    [
      { MANAGEMENT_PORT: '0', MANAGEMENT_HOST: '10.1.2.3' },
      ({ management }) => management,
      { host: '10.1.2.3', port: 0 },
    ],
    [
      { MODELLIX_WEBHOOK_URL: 'https://gateway.example.com:8443/hooks/' },
      ({ pushes }) => pushes,
      { url: 'https://gateway.example.com:8443/hooks', listen: null },
    ],
    [
      { MODELLIX_WEBHOOK_URL: 'https://a.example', MODELLIX_WEBHOOK_PORT: '9001', HOST: '127.0.0.2' },
      ({ pushes }) => pushes,
      { url: 'https://a.example', listen: { host: '127.0.0.2', port: 9001 } },
    ],
    [
      {
        MODELLIX_WEBHOOK_URL: 'https://a.example',
        MODELLIX_WEBHOOK_PORT: '0',
        MODELLIX_WEBHOOK_HOST: '0.0.0.0',
      },
      ({ pushes }) => pushes?.listen,
      { host: '0.0.0.0', port: 0 },
    ],
    [{ CALLBACK_NETWORKS: '10.0.0.0/8,fd00::/8' }, ({ callbacks }) => callbacks.allowedNetworks.length, 2],
    [{ VIDEO_NETWORKS: '10.0.0.0/8,fd00::/8' }, ({ videos }) => videos.allowedNetworks.length, 2],
    [{ WEBHOOK_SECRETS: whsec(24) }, ({ callbacks }) => callbacks.secrets, [whsec(24)]],
    [
      { WEBHOOK_SECRETS: `${whsec(64)},${whsec(32)}` },
      ({ callbacks }) => callbacks.secrets,
      [whsec(64), whsec(32)],
    ],
    [{ RETENTION_DAYS: '1' }, ({ gateway }) => gateway.retentionMs, 86_400_000],
    [
      { REDIS_URL: 'rediss://user:pass@redis:6380/2' },
      ({ store }) => store,
      { ...REDIS, url: 'rediss://user:pass@redis:6380/2' },
    ],
    [
      { REDIS_URL: 'redis://redis', REDIS_KEY_PREFIX: 'team-a:prod' },
      ({ store }) => store,
      { ...REDIS, url: 'redis://redis', keyPrefix: 'team-a:prod' },
    ],
    [{ SHUTDOWN_DELAY_SECONDS: '5' }, ({ shutdownDelayMs }) => shutdownDelayMs, 5000],
    [{ NOT_OURS: 'x' }, ({ modellix }) => modellix.keys, [KEY]],
    [{ MODELLIX_API_KEY: 'key-1,key-2' }, ({ modellix }) => modellix.keys, ['key-1', 'key-2']],
  ];
  for (const [env, pick, expected] of good) t.strictSame(pick(configOf(env)), expected, JSON.stringify(env));
});

t.test('an empty variable counts as unset', async (t) => {
  const empty = Object.fromEntries(SETTINGS.map(({ name }) => [name, '']));
  const files = { MODELLIX_API_KEY_FILE: '', REDIS_URL_FILE: '' };
  t.strictSame(readConfig({ ...empty, ...files, MODELLIX_API_KEY: KEY }), configOf());
});

t.test('what is wrong is named on one line, without a secret', async (t) => {
  const bad: readonly [Record<string, string>, string | RegExp][] = [
    [{ MODELLIX_API_KEY: '' }, /^MODELLIX_API_KEY is not set: .*MODELLIX_API_KEY_FILE/],
    [{ MODELLIX_API_KEY: `${SECRET} ` }, /^MODELLIX_API_KEY must be visible ASCII/],
    [{ MODELLIX_API_KEY: `${SECRET}, ${SECRET}` }, /^MODELLIX_API_KEY must be .*without spaces/],
    [{ MODELLIX_API_KEY: `${SECRET},` }, /^MODELLIX_API_KEY must be/],
    [{ MODELLIX_API_KEY: `${SECRET}\nX-Evil: 1` }, /^MODELLIX_API_KEY must/],
    [{ PORT: 'http' }, 'PORT=http must be a whole number'],
    [{ PORT: '80.5' }, 'PORT=80.5 must be a whole number'],
    [{ PORT: '-1' }, 'PORT=-1 must be >= 0'],
    [{ PORT: '65536' }, 'PORT=65536 must be <= 65535'],
    [{ PORT: '1\n2' }, 'PORT="1\\n2" must be a whole number'],
    [{ PORT: 'x'.repeat(5000) }, `PORT=${'x'.repeat(80)}… must be a whole number`],
    [{ HOST: '0.0.0.0' }, /^HOST=0\.0\.0\.0 is not a loopback address: .*ALLOW_ANONYMOUS=true/],
    [{ HOST: '::' }, /^HOST=:: is not/],
    [{ HOST: '127.evil.test' }, /^HOST=127\.evil\.test is not/],
    [{ HOST: '10.0.0.1', ALLOW_ANONYMOUS: 'false' }, /^HOST=10\.0\.0\.1 is not/],
    [
      { CALLERS_FILE: 'callers.yaml', ALLOW_ANONYMOUS: 'true' },
      /^CALLERS_FILE .*ALLOW_ANONYMOUS.* give one$/,
    ],
    [{ CLIENTS_FILE: 'clients.yaml' }, 'CLIENTS_FILE is called CALLERS_FILE now: set that instead'],
    [{ ALLOW_ANONYMOUS: 'yes' }, 'ALLOW_ANONYMOUS=yes must be true or false'],
    [{ LOG_LEVEL: 'INFO' }, /^LOG_LEVEL=INFO must be one of trace, debug, info/],
    [{ MODELLIX_BASE_URL: 'modellix.test' }, /^MODELLIX_BASE_URL must be http/],
    [{ MODELLIX_BASE_URL: 'ftp://modellix.test' }, /^MODELLIX_BASE_URL must be http/],
    [{ MODELLIX_BASE_URL: `https://u:${SECRET}@modellix.test` }, /^MODELLIX_BASE_URL must be http/],
    [{ MODELLIX_BASE_URL: `https://modellix.test?key=${SECRET}` }, /^MODELLIX_BASE_URL must be http/],
    [{ PUBLIC_URL: 'https://avatars.test/path?a=b' }, /^PUBLIC_URL must be http/],
    [{ PUBLIC_URL: 'https://avatars.test/a path' }, /^PUBLIC_URL must be http/],
    [{ ALLOWED_HOSTS: 'avatars.test:8080' }, /^ALLOWED_HOSTS=.* must be names/],
    [{ ALLOWED_HOSTS: 'a.test, b.test' }, /^ALLOWED_HOSTS=.* must be names/],
    [{ PUBLIC_URL: 'https://avatars.test:99999' }, /^PUBLIC_URL is not a URL/],
    [{ PUBLIC_URL: `https://u:${SECRET}@avatars.test` }, /^PUBLIC_URL must be http/],
    [{ MODELLIX_BASE_URL: `https://modellix.test/a?key=${SECRET}` }, /^MODELLIX_BASE_URL must be http/],
    [{ MODELLIX_BASE_URL: `https://modellix.test/a@${SECRET}` }, /^MODELLIX_BASE_URL must be http/],
    [{ HTTPS_PROXY: `socks5://u:${SECRET}@proxy.test` }, /^HTTPS_PROXY: must be http:\/\/ or https:\/\//],
    [{ HTTP_PROXY: `http://u:${SECRET}@proxy.test:99999` }, /^HTTP_PROXY: must be http/],
    [
      { http_proxy: `http://u:${SECRET}%@proxy.test` },
      /^HTTP_PROXY: has a login that is not percent-encoded/,
    ],
    [{ REDIS_TLS_SERVERNAME: 'redis test' }, /^REDIS_TLS_SERVERNAME=.* must be a host name/],
    [{ MODELLIX_BASE_URL: 'https://modellix.test:99999' }, /^MODELLIX_BASE_URL is not a URL/],
    [{ MODELLIX_SUBMIT_PATH: 'submit' }, /^MODELLIX_SUBMIT_PATH=submit must be a path/],
    [{ MODELLIX_SUBMIT_PATH: '/a,' }, /^MODELLIX_SUBMIT_PATH=\/a, must be a path/],
    [{ MODELLIX_SUBMIT_PATH: '/a, /b' }, /^MODELLIX_SUBMIT_PATH="\/a, \/b" must be a path/],
    [{ MODELLIX_SUBMIT_PATH: `/a${',/a'.repeat(10)}` }, /^MODELLIX_SUBMIT_PATH=.* up to ten of them/],
    [{ MODELLIX_SUBMIT_PATH: '/a b' }, /^MODELLIX_SUBMIT_PATH="\/a b" must be a path/],
    [{ MODELLIX_SUBMIT_PATH: '/ä' }, /^MODELLIX_SUBMIT_PATH="\/ä" must be a path/],
    [{ MODELLIX_TASKS_PATH: '/tasks/' }, /^MODELLIX_TASKS_PATH=\/tasks\/ must be a path/],
    [{ MODELLIX_TASKS_PATH: '/tasks?x=1' }, /^MODELLIX_TASKS_PATH=\/tasks\?x=1 must be a path/],
    [{ MODELLIX_SUBMIT_TIMEOUT_SECONDS: '0' }, /^MODELLIX_SUBMIT_TIMEOUT_SECONDS=0 must be >= 1/],
    [{ MODELLIX_QUERY_TIMEOUT_SECONDS: '121' }, 'MODELLIX_QUERY_TIMEOUT_SECONDS=121 must be <= 120'],
    [{ RETENTION_DAYS: 'Infinity' }, 'RETENTION_DAYS=Infinity must be a whole number'],
    [{ RETENTION_DAYS: '1e1' }, 'RETENTION_DAYS=1e1 must be a whole number'],
    [{ RETENTION_DAYS: '0x7' }, 'RETENTION_DAYS=0x7 must be a whole number'],
    [{ REDIS_URL: `http://:${SECRET}@redis` }, /^REDIS_URL must be redis:/],
    [{ REDIS_URL: `redis://:${SECRET}@redis:port` }, /^REDIS_URL is not a URL/],
    [{ REDIS_URL: `redis+cluster://a:1,:${SECRET}@b:port` }, /^REDIS_URL is not a URL/],
    [{ REDIS_URL: `redis+sentinel://:${SECRET}@redis` }, /^REDIS_URL must be redis:/],
    [{ REDIS_URL: `redis://:${SECRET}@redis/one` }, /^REDIS_URL must be redis:/],
    [{ REDIS_KEY_PREFIX: '{a}' }, /^REDIS_KEY_PREFIX=\{a\} must be/],
    [{ WEBHOOK_SECRETS: SECRET }, /^WEBHOOK_SECRETS must be one or two of whsec_/],
    [{ WEBHOOK_SECRETS: whsec(32).slice(6) }, /^WEBHOOK_SECRETS must be one or two of whsec_/],
    [{ WEBHOOK_SECRETS: `${whsec(32)},` }, /^WEBHOOK_SECRETS must be/],
    [{ WEBHOOK_SECRETS: Array(3).fill(whsec(32)).join(',') }, /^WEBHOOK_SECRETS must be one or two/],
    [
      { WEBHOOK_SECRETS: `whsec_${SECRET}` },
      'WEBHOOK_SECRETS: secret 1 of 1 is not whsec_ and the base64 of 24 to 64 bytes',
    ],
    [{ WEBHOOK_SECRETS: `${whsec(32)},whsec_${SECRET}` }, /^WEBHOOK_SECRETS: secret 2 of 2 is not whsec_/],
    [{ WEBHOOK_SECRETS: whsec(23) }, /^WEBHOOK_SECRETS: secret 1 of 1 .* 24 to 64 bytes$/],
    [{ WEBHOOK_SECRETS: whsec(65) }, /^WEBHOOK_SECRETS: secret 1 of 1 .* 24 to 64 bytes$/],
    [{ WEBHOOK_SECRETS: whsec(32).replace(/=$/, '') }, /^WEBHOOK_SECRETS: secret 1 of 1 is not/],
    [{ WEBHOOK_SECRETS: `${whsec(32)} ` }, /^WEBHOOK_SECRETS: secret 1 of 1 is not/],
    [{ TRUSTED_PROXIES: 'proxy.test' }, /^TRUSTED_PROXIES: "proxy.test" is not a network/],
    [{ TRUSTED_PROXIES: '10.0.0.0/8,0.0.0.0/0' }, /^TRUSTED_PROXIES: .*believe everyone/],
    [{ TRUSTED_PROXIES: '10.0.0.0/8,!10.1.0.0/16' }, 'TRUSTED_PROXIES: a proxy has no ! before it'],
    [{ TRUSTED_PROXIES: '::/0' }, /^TRUSTED_PROXIES: .*believe everyone/],
    [{ MANAGEMENT_PORT: '65536' }, /^MANAGEMENT_PORT=65536/],
    [{ MODELLIX_WEBHOOK_URL: 'http://127.0.0.1:8080' }, /^MODELLIX_WEBHOOK_URL must be https:/],
    [{ MODELLIX_WEBHOOK_URL: `https://u:${SECRET}@a.example` }, /^MODELLIX_WEBHOOK_URL must be https:/],
    [{ MODELLIX_WEBHOOK_URL: 'https://a.example/?a=b' }, /^MODELLIX_WEBHOOK_URL must be https:/],
    [{ MODELLIX_WEBHOOK_URL: 'https://a.example:99999' }, /^MODELLIX_WEBHOOK_URL is not a URL/],
    [{ MODELLIX_WEBHOOK_PORT: '9001' }, /^MODELLIX_WEBHOOK_PORT is of no use without MODELLIX_WEBHOOK_URL/],
    [
      { MODELLIX_WEBHOOK_URL: 'https://a.example', MODELLIX_WEBHOOK_PORT: '65536' },
      /^MODELLIX_WEBHOOK_PORT=65536/,
    ],
    [{ CALLBACK_NETWORKS: '10.0.0.1/8' }, /^CALLBACK_NETWORKS: "10.0.0.1\/8" has bits set/],
    [{ VIDEO_NETWORKS: '10.0.0.1/8' }, /^VIDEO_NETWORKS: "10.0.0.1\/8" has bits set/],
    [{ CALLBACK_TIMEOUT_SECONDS: '31' }, 'CALLBACK_TIMEOUT_SECONDS=31 must be <= 30'],
    [{ POLL_MIN_SECONDS: '16' }, 'POLL_MIN_SECONDS must not be greater than POLL_MAX_SECONDS'],
  ];
  for (const [env, expected] of bad) {
    const message = refusal({ MODELLIX_API_KEY: KEY, ...env });
    const what = JSON.stringify(env).slice(0, 100);
    if (typeof expected === 'string') t.equal(message, expected, what);
    else t.match(message, expected, what);
    t.notMatch(message, /\n/, 'one line');
    t.notMatch(message, SECRET);
    t.notMatch(message, Buffer.from(SECRET).toString('base64').slice(0, 12));
  }
  t.match(refusal({}), /^MODELLIX_API_KEY is not set/);
});

t.test('[E22] a megabyte is a million bytes in every setting', async (t) => {
  const { gateway, media, videos } = configOf({
    QUEUE_MAX_MEGABYTES: '100',
    MEDIA_MEMORY_MEGABYTES: '100',
    KEEP_VIDEO_MAX_MEGABYTES: '100',
    KEEP_VIDEOS_DIR: '/videos',
  });
  for (const bytes of [gateway.queueBounds.maxBytes, media.maxBytes, videos.keep?.maxBytes]) {
    t.equal(bytes, 100_000_000);
  }
});

t.test('[E22] a name that was meant for a setting stops the start, without its value', async (t) => {
  const meant: readonly [name: string, message: string][] = [
    ['REDIS_URI', 'REDIS_URI is not a setting: is REDIS_URL meant?'],
    ['REDISURL', 'REDISURL is not a setting: is REDIS_URL meant?'],
    ['REDIS_KEY_PREFX', 'REDIS_KEY_PREFX is not a setting: is REDIS_KEY_PREFIX meant?'],
    ['REDIS_HOST', 'REDIS_HOST is not a setting: REDIS_URL says where Redis is'],
    ['REDIS_PORT', 'REDIS_PORT is not a setting: REDIS_URL says where Redis is'],
    ['MODELLIX_APIKEY', 'MODELLIX_APIKEY is not a setting: is MODELLIX_API_KEY meant?'],
    ['MODELLIX_API_KEYS', 'MODELLIX_API_KEYS is not a setting: is MODELLIX_API_KEY meant?'],
    ['modellix_api_key', 'modellix_api_key is not a setting: is MODELLIX_API_KEY meant?'],
    ['MODELLIX_API_KEYFILE', 'MODELLIX_API_KEYFILE is not a setting: is MODELLIX_API_KEY_FILE meant?'],
    ['\ufeffMODELLIX_API_KEY', '"\ufeffMODELLIX_API_KEY" is not a setting: is MODELLIX_API_KEY meant?'],
    ['MODELLIX_REGION', 'MODELLIX_REGION is not a setting: --help lists those there are'],
    ['WEBHOOK_SECRET', 'WEBHOOK_SECRET is not a setting: is WEBHOOK_SECRETS meant?'],
    ['TRUSTED_PROXYS', 'TRUSTED_PROXYS is not a setting: is TRUSTED_PROXIES meant?'],
    ['QUEUE_MAX_MEGABYTE', 'QUEUE_MAX_MEGABYTE is not a setting: is QUEUE_MAX_MEGABYTES meant?'],
    ['LOGLEVEL', 'LOGLEVEL is not a setting: is LOG_LEVEL meant?'],
    ['DATADIR', 'DATADIR is not a setting: is DATA_DIR meant?'],
    ['SHUTDOWN_GRACE_SECOND', 'SHUTDOWN_GRACE_SECOND is not a setting: is SHUTDOWN_GRACE_SECONDS meant?'],
  ];
  for (const [name, message] of meant) {
    t.equal(refusal({ MODELLIX_API_KEY: KEY, [name]: SECRET }), message);
    t.equal(refusal({ MODELLIX_API_KEY: KEY, [name]: '' }), 'accepted', `${name} is empty`);
  }
});

t.test('[E22] names of others do not stop the start', async (t) => {
  const service = (name: string, port: number) => ({
    [`${name}_SERVICE_HOST`]: '10.0.0.7',
    [`${name}_SERVICE_PORT`]: String(port),
    [`${name}_SERVICE_PORT_HTTP`]: String(port),
    [`${name}_PORT`]: `tcp://10.0.0.7:${port}`,
    [`${name}_PORT_${port}_TCP`]: `tcp://10.0.0.7:${port}`,
    [`${name}_PORT_${port}_TCP_PROTO`]: 'tcp',
    [`${name}_PORT_${port}_TCP_PORT`]: String(port),
    [`${name}_PORT_${port}_TCP_ADDR`]: '10.0.0.7',
  });
  const others: readonly Record<string, string>[] = [
    service('REDIS', 6379),
    service('REDIS_MASTER', 6379),
    service('MODELLIX', 443),
    service('MODELLIX_API', 443),
    service('AVATAR_GATEWAY', 8080),
    service('KUBERNETES', 443),
    // Of a program beside it, with which it shares an environment.
    { REDIS_URL: 'redis://redis', REDIS_HOST: 'redis', REDIS_PASSWORD: 'x', REDIS_TLS_URL: 'rediss://redis' },
    {
      HTTP_PROXY: 'http://p',
      HTTPS_PROXY: 'http://p',
      NO_PROXY: 'a',
      https_proxy: 'http://p',
      no_proxy: 'a',
    },
    { HOSTNAME: 'x', LOGNAME: 'x', POST: 'x', HOSTS: 'x', XDG_DATA_DIRS: '/x', TMPDIR: '/tmp', MAIL: '/x' },
    { npm_config_loglevel: 'x', npm_package_name: 'x', NODE_ENV: 'x', NODE_OPTIONS: '', COLORTERM: 'x' },
    { AVATAR_GATEWAY_URL: 'http://x', AVATAR_GATEWAY_KEY: 'x', AWS_REGION: 'x', DATABASE_URL: 'x' },
    {
      PUBLIC_KEY: 'x',
      PUBLIC_HOSTNAME: 'x',
      DATA_PATH: 'x',
      DATA_VOLUME: 'x',
      QUEUE_URL: 'x',
      CALLBACK_URL: 'x',
    },
    { ...process.env, MODELLIX_API_KEY: KEY } as Record<string, string>,
  ];
  for (const env of others) {
    t.equal(refusal({ MODELLIX_API_KEY: KEY, ...env }), 'accepted', Object.keys(env).join(' '));
  }
});

t.test('[E22] a setting of before is told its name of today', async (t) => {
  const settings = new Set(['CALLERS_FILE']);
  t.equal(
    strayIn({ CLIENTS_FILE: 'x' }, settings),
    'CLIENTS_FILE is called CALLERS_FILE now: set that instead',
  );
  t.equal(strayIn({ CALLERS_FILE: 'x' }, settings), null);
});

t.test('[E22] quotation marks that came along stop the start, without the value', async (t) => {
  const quoted: readonly (readonly [string, string])[] = [
    ['MODELLIX_API_KEY', `"${SECRET}"`],
    ['MODELLIX_API_KEY', `'${SECRET}'`],
    ['MODELLIX_API_KEY', `"${SECRET},${SECRET}"`],
    ['REDIS_URL', `"redis://:${SECRET}@redis:6379"`],
    ['PORT', '"8080"'],
    ['LOG_LEVEL', "'info'"],
    ['HOST', '"127.0.0.1"'],
    ['DATA_DIR', '""'],
    ['MODELLIX_API_KEY_FILE', '"/run/secrets/key"'],
  ];
  for (const [name, value] of quoted) {
    const message = refusal({ MODELLIX_API_KEY: KEY, [name]: value });
    t.match(message, `${name} is in quotation marks`, name);
    t.notMatch(message, SECRET);
  }
  t.strictSame(configOf({ MODELLIX_API_KEY: `a"b'` }).modellix.keys, [`a"b'`], 'within it is left as it is');
});

t.test('secrets in files', async (t) => {
  const dir = await mkdtemp(join(tmpdir(), 'avatar-gateway-config-'));
  t.teardown(() => rm(dir, { recursive: true }));
  const fileWith = async (name: string, text: string) => {
    await writeFile(join(dir, name), text);
    return join(dir, name);
  };
  const key = await fileWith('key', `${KEY}\r\n`);
  const redis = await fileWith('redis', ' redis://redis:6379\n');
  const config = readConfig({ MODELLIX_API_KEY_FILE: key, REDIS_URL_FILE: redis });
  t.same(config.modellix.keys, [KEY]);
  t.equal(config.modellix.keyFile, key);
  t.match(config.store, { kind: 'redis', url: 'redis://redis:6379' });

  const missing = refusal({ MODELLIX_API_KEY_FILE: SECRET });
  t.equal(
    missing,
    'MODELLIX_API_KEY_FILE names a file that cannot be read (ENOENT)',
    'nor is the name shown',
  );
  t.match(refusal({ MODELLIX_API_KEY_FILE: dir }), /^MODELLIX_API_KEY_FILE .*\(EISDIR\)$/);
  t.match(
    refusal({ MODELLIX_API_KEY_FILE: await fileWith('empty', '\n') }),
    /^MODELLIX_API_KEY_FILE .* empty/,
  );
  t.equal(
    refusal({ MODELLIX_API_KEY_FILE: await fileWith('quoted', `"${SECRET}"\n`) }),
    'what MODELLIX_API_KEY_FILE holds is in quotation marks, which count as a part of it: leave them out',
    '[E22]',
  );
  const several = await fileWith('several', `# the pool\nkey-1,key-2\n\nkey-3\n`);
  t.same(readConfig({ MODELLIX_API_KEY_FILE: several }).modellix.keys, ['key-1', 'key-2', 'key-3']);
  t.match(
    refusal({ MODELLIX_API_KEY_FILE: await fileWith('spaced', `${SECRET} ${SECRET}`) }),
    /^MODELLIX_API_KEY must/,
  );
  const signing = await fileWith('signing', `${whsec(32)}\n${whsec(24)}\n`);
  t.same(configOf({ WEBHOOK_SECRETS_FILE: signing }).callbacks.secrets, [whsec(32), whsec(24)]);
  t.match(
    refusal({ MODELLIX_API_KEY: KEY, WEBHOOK_SECRETS: whsec(24), WEBHOOK_SECRETS_FILE: signing }),
    /^WEBHOOK_SECRETS and WEBHOOK_SECRETS_FILE are both set: give one$/,
  );
  t.match(refusal({ MODELLIX_API_KEY: SECRET, MODELLIX_API_KEY_FILE: key }), /_FILE are both set: give one$/);
  t.match(
    refusal({ MODELLIX_API_KEY: KEY, REDIS_URL: `redis://:${SECRET}@r`, REDIS_URL_FILE: redis }),
    /^REDIS_URL and REDIS_URL_FILE are both set: give one$/,
  );
});

t.test('nothing of it can be changed', async (t) => {
  // A Set is read-only by its type.
  const isFrozen = (value: unknown): boolean =>
    value instanceof Set ||
    (Object.isFrozen(value) &&
      Object.values(value ?? {}).every((each) => typeof each !== 'object' || isFrozen(each)));
  t.ok(isFrozen(configOf()));
  t.ok(isFrozen(configOf({ WEBHOOK_SECRETS: whsec(32) })));
  t.ok(isFrozen(configOf({ REDIS_URL: 'redis://redis' })));
});

t.test('the environment it reads is left as it is', async (t) => {
  const env = Object.freeze({ MODELLIX_API_KEY: KEY, PORT: '1' });
  t.equal(readConfig(env).port, 1);
});

t.test('every setting is described', async (t) => {
  for (const { name, description } of SETTINGS) t.match(description, /^.{5,}$/, name);
});

t.test('[E22] no setting asks for more silence on a connection than there may be', (t) => {
  const longest = (name: 'VIDEO_STALL_SECONDS' | 'VIDEO_TIMEOUT_SECONDS') =>
    (Environment.properties[name] as { maximum?: number }).maximum ?? Number.POSITIVE_INFINITY;
  for (const name of ['VIDEO_STALL_SECONDS', 'VIDEO_TIMEOUT_SECONDS'] as const) {
    t.ok(longest(name) * 1000 <= INACTIVE_MS, name);
    const env = { MODELLIX_API_KEY: KEY, [name]: String(longest(name)) };
    t.doesNotThrow(() => readConfig(env));
    t.throws(() => readConfig({ ...env, [name]: String(longest(name) + 1) }), { message: new RegExp(name) });
  }
  t.end();
});
