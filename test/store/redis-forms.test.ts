import t from 'tap';
import { readConfig } from '../../src/config/read-config.js';
import { parseRedisUrl } from '../../src/store/redis/connection/address.js';

const NOBODY = { tls: false, username: null, password: null, db: 0 };
const at = (host: string, port: number) => ({ host, port });

/** Read the same by the settings and by the store. */
function read(url: string) {
  const { store } = readConfig({ MODELLIX_API_KEY: 'mx-0123456789', REDIS_URL: url });
  return parseRedisUrl(store.kind === 'redis' ? store.url : '');
}

t.test('each form of REDIS_URL that docs/redis.md has', async (t) => {
  const standalone = { ...NOBODY, kind: 'standalone', endpoint: at('h', 6379) };
  const sentinel = { ...NOBODY, kind: 'sentinel', sentinels: [at('a', 26_379), at('b', 1)], master: 'main' };
  const cluster = { ...NOBODY, kind: 'cluster', seeds: [at('a', 6379), at('b', 1)] };
  const login = { username: 'me', password: 'p@:/,%?#' };
  const encoded = `me:${encodeURIComponent(login.password)}@`;
  const forms: readonly [string, object][] = [
    ['redis://h', standalone],
    ['redis://h/', standalone],
    ['rediss://h:7000/2', { ...standalone, tls: true, endpoint: at('h', 7000), db: 2 }],
    ['redis://[::1]:7000', { ...standalone, endpoint: at('::1', 7000) }],
    ['redis://:secret@h', { ...standalone, password: 'secret' }],
    [`redis://${encoded}h`, { ...standalone, ...login }],
    ['redis+sentinel://a,b:1/main', sentinel],
    [`rediss+sentinel://${encoded}a,b:1/main/3`, { ...sentinel, ...login, tls: true, db: 3 }],
    ['redis+cluster://a,b:1', cluster],
    [`rediss+cluster://${encoded}a,b:1/`, { ...cluster, ...login, tls: true }],
  ];
  for (const [url, expected] of forms) t.strictSame(read(url), expected, url);
});

t.test('what is none of them is refused, and nothing of it is shown', async (t) => {
  const secret = 'hidden-pa55word';
  const bad = [
    ...[`http://:${secret}@h`, `redis://:${secret}@a,b`, `redis://:${secret}@h:0`, `redis://:${secret}@h/x`],
    ...[`redis+sentinel://:${secret}@a`, `redis+sentinel://:${secret}@a/main/x`, `redis://:${secret}%@h`],
    ...[
      `redis+cluster://:${secret}@a/1`,
      `redis+cluster://:${secret}@a,,b`,
      `redis+sentinel://:${secret}@a/m/1/2`,
    ],
  ];
  for (const url of bad) {
    t.throws(() => parseRedisUrl(url), { name: 'TypeError', message: /^the Redis URL / });
    try {
      parseRedisUrl(url);
    } catch (error) {
      t.notMatch(String(error), secret);
    }
  }
});
