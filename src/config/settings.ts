/** The settings: which environment variables there are, what they mean and what they may hold. */

import { type Static, Type } from 'typebox';

const count = (description: string, value: number, maximum: number) =>
  Type.Integer({ description, default: value, minimum: 1, maximum });

const price = (mode: string, value: number) =>
  Type.Number({
    description: `what a second of video costs with mode ${mode}, in US dollars`,
    default: value,
    minimum: 0,
    maximum: 1000,
  });

const SUBMIT_PATH = '/[\\x21\\x22\\x24-\\x2b\\x2d-\\x3e\\x40-\\x7e]*';

const REDIS_URL_RULE =
  'must be redis://, redis+sentinel:// or redis+cluster:// (rediss... for TLS), hosts with their ports, and what belongs behind them; docs/redis.md has each form';

/** One entry a variable: what `--help` prints and what is checked at start. `$comment` is the pattern in words. */
export const Environment = Type.Object({
  PORT: Type.Integer({ description: 'port to listen on', default: 8080, minimum: 0, maximum: 65535 }),
  HOST: Type.String({ description: 'address to listen on', default: '127.0.0.1', minLength: 1 }),
  CALLERS_FILE: Type.Optional(
    Type.String({
      description:
        'YAML or JSON file that says who may call, see docs/callers.md; unset: programs on this machine, without a key',
      minLength: 1,
    }),
  ),
  ALLOW_ANONYMOUS: Type.Boolean({
    description:
      'without CALLERS_FILE: serve whoever reaches the port, from wherever; pages of other origins are refused',
    default: false,
  }),
  TRUSTED_PROXIES: Type.Optional(
    Type.String({
      description:
        'proxies whose X-Forwarded-For is believed: CIDRs, separated by commas; unset: an address is who connected',
      minLength: 1,
    }),
  ),
  MANAGEMENT_PORT: Type.Optional(
    Type.Integer({
      description: 'port of its own for /livez, /readyz and /metrics; unset: they are served with the rest',
      minimum: 0,
      maximum: 65535,
    }),
  ),
  MANAGEMENT_HOST: Type.Optional(
    Type.String({ description: 'address for MANAGEMENT_PORT; unset: that of HOST', minLength: 1 }),
  ),
  MAX_CONNECTIONS: count('connections held at once; one beyond it is closed', 25_000, 1_000_000),
  PUBLIC_URL: Type.Optional(
    Type.String({
      description:
        'how callers reach the gateway, with a path where a proxy strips one: every link begins with the path, absolute URLs of the drop-in routes with all of it; unset: the host a request was sent to',
      pattern: '^https?://[^/?#@\\s]+(/[A-Za-z0-9._~-]+)*/?$',
      $comment:
        'must be http:// or https://, a host, perhaps a port and a path of letters, digits and any of . _ ~ -',
    }),
  ),
  ALLOWED_HOSTS: Type.Optional(
    Type.String({
      description:
        'names that callers without a key may send in Host, separated by commas: a name, .example.com for it and all below it, * for any; addresses, localhost, and with ALLOW_ANONYMOUS names without a dot, private ones (.local, .internal, .svc) and that of PUBLIC_URL need no entry',
      pattern:
        '^(\\*|\\.?[A-Za-z0-9_-]+(\\.[A-Za-z0-9_-]+)*)(,(\\*|\\.?[A-Za-z0-9_-]+(\\.[A-Za-z0-9_-]+)*))*$',
      $comment:
        'must be names such as avatars.example.com or .example.com, or *, separated by commas, without ports or spaces',
    }),
  ),
  LOG_LEVEL: Type.Enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'], {
    description: 'least severe level that is logged',
    default: 'info',
  }),
  MODELLIX_API_KEY: Type.String({
    description:
      'the key sent to Modellix, or several, separated by commas (required; or MODELLIX_API_KEY_FILE)',
    pattern: '^[\\x21-\\x2b\\x2d-\\x7e]+(,[\\x21-\\x2b\\x2d-\\x7e]+)*$',
    $comment: 'must be visible ASCII characters; several keys are separated by commas, without spaces',
  }),
  MODELLIX_BASE_URL: Type.String({
    description: 'where Modellix is',
    default: 'https://api.modellix.ai',
    pattern: '^https?://[^/?#@\\s]+(/[^?#@\\s]*)?$',
    $comment: 'must be http:// or https://, a host, perhaps a port and a path, and nothing else',
  }),
  MODELLIX_SUBMIT_PATH: Type.String({
    description:
      'path of the submit, or several, separated by commas: where Modellix says that it has no route for one the next is tried',
    default:
      '/api/v1/image-to-video/kling/kling-avatar/async,/api/v1/kling/kling-avatar,/api/v1/kling/kling-avatar/async',
    pattern: `^${SUBMIT_PATH}(,${SUBMIT_PATH}){0,9}$`,
    $comment:
      'must be a path that begins with / and holds no ?, # or space, or up to ten of them, separated by commas',
  }),
  MODELLIX_TASKS_PATH: Type.String({
    description: 'path of the task query, without the task id',
    default: '/api/v1/tasks',
    pattern: '^/[\\x21-\\x22\\x24-\\x3e\\x40-\\x7e]*[\\x21-\\x22\\x24-\\x2e\\x30-\\x3e\\x40-\\x7e]$',
    $comment: 'must be a path that begins with / and does not end with it, and holds no ?, # or space',
  }),
  MODELLIX_WEBHOOK_URL: Type.Optional(
    Type.String({
      description:
        'how Modellix reaches the gateway, to push the end of a task to /modellix/ below it, see docs/pushes.md; unset: tasks are only polled',
      pattern: '^https://[^/?#@\\s]+(/[A-Za-z0-9._~-]+)*/?$',
      $comment:
        'must be https://, a host, perhaps a port and a path of letters, digits and any of . _ ~ -, for Modellix pushes to nothing else',
    }),
  ),
  MODELLIX_WEBHOOK_PORT: Type.Optional(
    Type.Integer({
      description: 'port of its own for what Modellix pushes; unset: it is taken with the rest',
      minimum: 0,
      maximum: 65535,
    }),
  ),
  MODELLIX_WEBHOOK_HOST: Type.Optional(
    Type.String({ description: 'address for MODELLIX_WEBHOOK_PORT; unset: that of HOST', minLength: 1 }),
  ),
  MODELLIX_CALLS_PER_MINUTE: count(
    'calls a minute that one key may make, submits and polls together',
    100,
    100_000,
  ),
  MODELLIX_CONCURRENCY: count('unfinished tasks that one key may have', 3, 10_000),
  MODELLIX_LONG_POLL_SECONDS: Type.Integer({
    description: 'how long Modellix holds a poll with wait=true; 0: polls are answered at once',
    default: 0,
    minimum: 0,
    maximum: 60,
  }),
  MODELLIX_CONNECT_TIMEOUT_SECONDS: count('longest wait for a connection to Modellix', 5, 60),
  MODELLIX_SUBMIT_TIMEOUT_SECONDS: count('longest wait for the answer to a submit', 60, 600),
  MODELLIX_QUERY_TIMEOUT_SECONDS: count('longest wait for the answer to a query', 15, 120),
  MODELLIX_429_MEANS_NOT_MADE: Type.Boolean({
    description: 'a submit answered 429 is queued again; false: it is unconfirmed',
    default: true,
  }),
  MODELLIX_503_MEANS_NOT_MADE: Type.Boolean({
    description: 'a submit answered 503 is queued again; false: it is unconfirmed',
    default: false,
  }),
  HTTPS_PROXY: Type.Optional(
    Type.String({
      description:
        'proxy on the way to Modellix and its video host by https, see docs/networks.md; https_proxy comes first',
    }),
  ),
  HTTP_PROXY: Type.Optional(
    Type.String({ description: 'the same for what is reached by http; http_proxy comes first' }),
  ),
  NO_PROXY: Type.Optional(
    Type.String({
      description:
        'hosts that are reached without: names, with those below them, addresses and CIDRs, separated by commas; no_proxy comes first',
    }),
  ),
  VIDEO_TIMEOUT_SECONDS: count('longest silence of the video host', 30, 600),
  VIDEO_STALL_SECONDS: count('a caller who takes nothing of a video for so long is cut off', 60, 900),
  VIDEO_NETWORKS: Type.Optional(
    Type.String({
      description:
        'addresses that are not public and that videos may be fetched from all the same: CIDRs, separated by commas; the host of MODELLIX_BASE_URL needs none',
      minLength: 1,
    }),
  ),
  KEEP_VIDEOS_DIR: Type.Optional(
    Type.String({
      description:
        'folder that videos are kept in for as long as their avatars, see docs/videos.md; unset: they are left where Modellix keeps them for some days',
      minLength: 1,
    }),
  ),
  KEEP_VIDEO_MAX_MEGABYTES: count('how large a video may be that is kept', 200, 100_000),
  KEEP_VIDEOS_MAX_GIGABYTES: count('how much all kept videos may have together', 20, 1_000_000),
  REDIS_URL: Type.Optional(
    Type.String({
      description:
        'where Redis is (or REDIS_URL_FILE), see docs/redis.md; unset: the embedded store in DATA_DIR',
      pattern:
        '^rediss?(://[^\\s/]+(/\\d{0,5})?|\\+sentinel://[^\\s/]+/[^\\s/]+(/\\d{0,5})?|\\+cluster://[^\\s/]+/?)$',
      $comment: REDIS_URL_RULE,
    }),
  ),
  REDIS_SENTINEL_PASSWORD: Type.Optional(
    Type.String({
      description: 'password of the sentinels, where they have one (or REDIS_SENTINEL_PASSWORD_FILE)',
    }),
  ),
  REDIS_TLS_CA_FILE: Type.Optional(
    Type.String({
      description: 'PEM file with the authority that signed the certificate of Redis',
      minLength: 1,
    }),
  ),
  REDIS_TLS_SERVERNAME: Type.Optional(
    Type.String({
      description:
        'name that the certificates of Redis are for, where it is not the host that is connected to, see docs/redis.md',
      pattern: '^[A-Za-z0-9._-]{1,253}$',
      $comment: 'must be a host name',
    }),
  ),
  REDIS_KEY_PREFIX: Type.String({
    description: 'what every key in Redis starts with',
    default: 'avatar-gateway',
    pattern: '^[A-Za-z0-9:_.-]{1,64}$',
    $comment: 'must be 1 to 64 letters, digits, or any of : _ . -',
  }),
  REDIS_DURABILITY: Type.Enum(['strict', 'warn'], {
    description: 'what to do about a Redis that evicts or has no append-only file: not use it, or log it',
    default: 'warn',
  }),
  REDIS_WAIT_REPLICAS: Type.Integer({
    description: 'how many replicas must have a write before it counts (WAIT)',
    default: 0,
    minimum: 0,
    maximum: 10,
  }),
  REDIS_WAIT_AOF: Type.Boolean({
    description: 'a write counts once it is in the append-only file on disk (WAITAOF, Redis 7.2)',
    default: false,
  }),
  DATA_DIR: Type.String({
    description: 'folder of the embedded store (avatars.db), and of answers that wait for the store',
    default: './data',
    minLength: 1,
  }),
  MEDIA_MEMORY_MEGABYTES: Type.Integer({
    description:
      'how much media may be in memory at once; a caller may have three quarters of what the others leave, and is answered 503 beyond it',
    default: 256,
    minimum: 64,
    maximum: 100_000,
  }),
  CHECK_MEDIA_URLS: Type.Enum(['off', 'soft', 'strict'], {
    description:
      'media at URLs: passed on unseen; fetched and checked where they can be had; or refused where they cannot',
    default: 'off',
  }),
  MEDIA_URL_TIMEOUT_SECONDS: count('longest wait for media at a URL, redirects included', 10, 120),
  MEDIA_URL_NETWORKS: Type.Optional(
    Type.String({
      description:
        'addresses that are not public and may be fetched from all the same: CIDRs, separated by commas',
      minLength: 1,
    }),
  ),
  WEBHOOK_SECRETS: Type.Optional(
    Type.String({
      description:
        'what callbacks are signed with, or two while it is changed, separated by a comma (or WEBHOOK_SECRETS_FILE); unset: no callback_url is taken',
      pattern: '^whsec_[^,]+(,whsec_[^,]+)?$',
      $comment: 'must be one or two of whsec_ and base64, separated by a comma',
    }),
  ),
  CALLBACK_TIMEOUT_SECONDS: count('longest wait for the answer to a callback', 10, 30),
  CALLBACK_NETWORKS: Type.Optional(
    Type.String({
      description: 'addresses that are not public and may be called all the same: CIDRs, separated by commas',
      minLength: 1,
    }),
  ),
  UPLOAD_STALL_SECONDS: count('a body that gains less than 64 kB in so long is given up', 10, 300),
  SUBMIT_GRACE_SECONDS: count('how long POST /avatars waits for the submit to settle', 10, 60),
  POLL_MIN_SECONDS: count('shortest pause between two polls of a task', 1, 300),
  POLL_MAX_SECONDS: count(
    'longest pause between two polls of a task while there are calls to spare',
    15,
    600,
  ),
  QUEUE_MAX_AVATARS: count('how many avatars may wait to be submitted', 10_000, 1_000_000),
  QUEUE_MAX_MEGABYTES: count('how much media may wait with them', 1_000, 1_000_000),
  UNCONFIRMED_HOLD_MINUTES: count('how long an unconfirmed avatar counts as an unfinished task', 10, 1440),
  QUEUE_TIMEOUT_MINUTES: count('how long an avatar may wait to be submitted', 1440, 43_200),
  TASK_TIMEOUT_MINUTES: count('how long Modellix may take before an avatar is timed_out', 60, 10_080),
  RETENTION_DAYS: count('how long a finished avatar is remembered', 7, 365),
  REQUIRE_IDEMPOTENCY_KEY: Type.Boolean({
    description: 'refuse POST /avatars without an Idempotency-Key',
    default: false,
  }),
  MAX_WAITERS: Type.Integer({
    description:
      'how many requests with Prefer: wait, and event streams, one process holds, no caller more than half of what others leave; a wait beyond it is answered at once, a stream 503',
    default: 20_000,
    minimum: 2,
    maximum: 1_000_000,
  }),
  READ_STALENESS_MS: Type.Integer({
    description:
      'how old what GET /avatars/{id} answers from Redis may be, where no change was heard of; 0: each is read from Redis',
    default: 0,
    minimum: 0,
    maximum: 60_000,
  }),
  RATE_LIMIT_PER_MINUTE: count(
    'requests a minute from one caller that has no limit of its own; without callers, from one address',
    1200,
    1_000_000,
  ),
  RATE_LIMIT_FAILS: Type.Enum(['open', 'closed'], {
    description:
      'while Redis is away, so that replicas cannot count requests together: `open` lets each replica count alone, `closed` answers 503; requests that make an avatar are always answered 503 then',
    default: 'open',
  }),
  PRICE_STD_USD_PER_SECOND: price('std', 0.0448),
  PRICE_PRO_USD_PER_SECOND: price('pro', 0.0896),
  SHUTDOWN_DELAY_SECONDS: Type.Integer({
    description:
      'how long after SIGTERM requests are served as before, while /readyz says that the gateway stops; SHUTDOWN_GRACE_SECONDS begins behind it',
    default: 0,
    minimum: 0,
    maximum: 600,
  }),
  SHUTDOWN_GRACE_SECONDS: count('how long work under way may take after SIGTERM', 60, 600),
});

export type Environment = Static<typeof Environment>;
