/** What a Redis URL says. */

export interface Endpoint {
  readonly host: string;
  readonly port: number;
  /** What its certificate is for, where that is known to be another name than the host. */
  readonly name?: string;
}

interface Common {
  readonly tls: boolean;
  readonly username: string | null;
  readonly password: string | null;
  readonly db: number;
}

export type RedisAddress = Common &
  (
    | { readonly kind: 'standalone'; readonly endpoint: Endpoint }
    | { readonly kind: 'sentinel'; readonly sentinels: readonly Endpoint[]; readonly master: string }
    | { readonly kind: 'cluster'; readonly seeds: readonly Endpoint[] }
  );

const FORM = /^redis(s?)(?:\+(sentinel|cluster))?:\/\/(?:(.*)@)?([^@/?#]*)(?:\/([^@?#]*))?$/;
const HOST_AND_PORT = /^(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9._-]+))(?::(\d{1,5}))?$/;

/**
 * Reads the three forms; `rediss` for TLS in each:
 *
 *     redis://[user:password@]host[:port][/db]
 *     redis+sentinel://[user:password@]host[:port],host[:port].../master-name[/db]
 *     redis+cluster://[user:password@]host[:port],host[:port]...
 *
 * User and password are for Redis, not for the sentinels, and percent-encoded where they hold `%` or `:`.
 *
 * @throws TypeError which says what is wrong and quotes nothing: the URL may hold a password
 */
export function parseRedisUrl(url: string): RedisAddress {
  const [, s, kind = 'standalone', login, hosts = '', path = ''] = FORM.exec(url) ?? bad('has no known form');
  const common = { tls: s === 's', ...loginOf(login) };
  if (kind === 'sentinel') {
    const [master = '', db = '', ...more] = path.split('/');
    if (!/^[A-Za-z0-9._-]+$/.test(master)) bad('needs the name of the master behind the sentinels');
    if (more.length > 0) bad('has more behind the database than belongs there');
    return { kind, ...common, sentinels: endpoints(hosts, 26_379), master, db: database(db) };
  }
  if (kind === 'cluster') {
    if (path !== '') bad('names a database, and a cluster has one only');
    return { kind, ...common, seeds: endpoints(hosts, 6379), db: 0 };
  }
  const [endpoint, ...others] = endpoints(hosts, 6379);
  if (endpoint === undefined || others.length > 0) {
    return bad('has several hosts, which only redis+sentinel:// and redis+cluster:// have');
  }
  return { kind: 'standalone', ...common, endpoint, db: database(path) };
}

function loginOf(login: string | undefined): Pick<Common, 'username' | 'password'> {
  if (login === undefined) return { username: null, password: null };
  const [, username = '', password = ''] = /^([^:]*):?(.*)$/.exec(login) ?? [];
  return { username: decoded(username) || null, password: decoded(password) || null };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return bad('has a user or password that is not percent-encoded');
  }
}

function endpoints(hosts: string, defaultPort: number): Endpoint[] {
  return hosts.split(',').map((text) => {
    const [, ipv6, name, port] = HOST_AND_PORT.exec(text) ?? bad('has a host that cannot be read');
    const number = port === undefined ? defaultPort : Number(port);
    if (number < 1 || number > 65_535) bad('has a port that is none');
    return { host: ipv6 ?? name ?? '', port: number };
  });
}

function database(text: string): number {
  return /^\d{0,6}$/.test(text) ? Number(text) : bad('has a database that is not a number');
}

function bad(what: string): never {
  throw new TypeError(`the Redis URL ${what}`);
}
