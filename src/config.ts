/** Environment and secret files -> one frozen, typed Config. The only reader of the environment. */

import { readFileSync } from 'node:fs';
import { envSchema } from 'env-schema';
import { type Static, Type } from 'typebox';

const seconds = (description: string, value: number, maximum: number) =>
  Type.Integer({ description, default: value, minimum: 1, maximum });

/** One entry a variable: what `--help` prints and what is checked at start. */
const Environment = Type.Object({
  PORT: Type.Integer({ description: 'port to listen on', default: 8080, minimum: 0, maximum: 65535 }),
  HOST: Type.String({ description: 'address to listen on', default: '127.0.0.1', minLength: 1 }),
  ALLOW_ANONYMOUS: Type.Boolean({
    description: 'serve callers without a key on an address that is not loopback',
    default: false,
  }),
  LOG_LEVEL: Type.Enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'], {
    description: 'least severe level that is logged',
    default: 'info',
  }),
  MODELLIX_API_KEY: Type.String({
    description: 'the key sent to Modellix (required; or MODELLIX_API_KEY_FILE)',
    pattern: '^[\\x21-\\x2b\\x2d-\\x7e]+$',
  }),
  MODELLIX_BASE_URL: Type.String({
    description: 'where Modellix is',
    default: 'https://api.modellix.ai',
    pattern: '^https?://[^/?#@\\s]+/?$',
  }),
  MODELLIX_SUBMIT_PATH: Type.String({
    description: 'path of the submit',
    default: '/api/v1/image-to-video/kling/kling-avatar/async',
    pattern: '^/[^\\s?#]*$',
  }),
  MODELLIX_TASKS_PATH: Type.String({
    description: 'path of the task query, without the task id',
    default: '/api/v1/tasks',
    pattern: '^/[^\\s?#]*[^\\s?#/]$',
  }),
  MODELLIX_CONNECT_TIMEOUT_SECONDS: seconds('longest wait for a connection to Modellix', 5, 60),
  MODELLIX_SUBMIT_TIMEOUT_SECONDS: seconds('longest wait for the answer to a submit', 60, 600),
  MODELLIX_QUERY_TIMEOUT_SECONDS: seconds('longest wait for the answer to a query', 15, 120),
  VIDEO_TIMEOUT_SECONDS: seconds('longest silence of the video host', 30, 600),
  REDIS_URL: Type.Optional(
    Type.String({
      description: 'redis:// or rediss:// (or REDIS_URL_FILE); unset: the embedded store in DATA_DIR',
      pattern: '^rediss?://\\S+$',
    }),
  ),
  REDIS_KEY_PREFIX: Type.String({
    description: 'what every key in Redis starts with',
    default: 'avatar-gateway',
    pattern: '^[A-Za-z0-9:_.-]{1,64}$',
  }),
  DATA_DIR: Type.String({ description: 'folder of the embedded store', default: './data', minLength: 1 }),
  SUBMIT_GRACE_SECONDS: seconds('how long POST /avatars waits for the submit to settle', 10, 60),
  POLL_MIN_SECONDS: seconds('pause before the first look at a task', 5, 300),
  POLL_MAX_SECONDS: seconds('longest pause between two looks', 15, 600),
  QUEUE_TIMEOUT_MINUTES: seconds('how long an avatar may wait to be submitted', 1440, 43_200),
  TASK_TIMEOUT_MINUTES: seconds('how long Modellix may take before an avatar is timed_out', 60, 10_080),
  RETENTION_DAYS: seconds('how long a finished avatar is remembered', 7, 365),
  RATE_LIMIT_PER_MINUTE: seconds('requests a minute from one address', 1200, 1_000_000),
  SHUTDOWN_GRACE_SECONDS: seconds('how long work under way may take after SIGTERM', 60, 600),
});

type Environment = Static<typeof Environment>;

/** Variables that hold a secret: their value is never printed, and `NAME_FILE` may hold it instead. */
const SECRETS = ['MODELLIX_API_KEY', 'REDIS_URL'] as const;

/** Times are in milliseconds. */
export interface Config {
  readonly host: string;
  readonly port: number;
  readonly logLevel: Environment['LOG_LEVEL'];
  readonly rateLimitPerMinute: number;
  readonly shutdownGraceMs: number;
  readonly modellix: {
    readonly apiKey: string;
    readonly baseUrl: string;
    readonly submitPath: string;
    readonly tasksPath: string;
    readonly connectTimeoutMs: number;
    readonly submitTimeoutMs: number;
    readonly queryTimeoutMs: number;
    readonly videoTimeoutMs: number;
  };
  readonly store:
    | { readonly kind: 'embedded'; readonly dir: string }
    | { readonly kind: 'redis'; readonly url: string; readonly keyPrefix: string };
  readonly gateway: {
    readonly submitGraceMs: number;
    readonly pollMinMs: number;
    readonly pollMaxMs: number;
    readonly queueTimeoutMs: number;
    readonly taskTimeoutMs: number;
    readonly retentionMs: number;
  };
}

/** A setting that is missing or wrong. The message is one line, names the variable and shows no secret. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/**
 * Reads and checks the configuration.
 * @throws {ConfigError} for the first variable at fault
 */
export function readConfig(env: NodeJS.ProcessEnv = process.env): Config {
  const values = parse(withSecretFiles(env));
  if (!isLoopback(values.HOST) && !values.ALLOW_ANONYMOUS) {
    throw new ConfigError(
      `HOST=${values.HOST} is not a loopback address: set ALLOW_ANONYMOUS=true to serve whoever reaches it`,
    );
  }
  if (values.POLL_MIN_SECONDS > values.POLL_MAX_SECONDS) {
    throw new ConfigError('POLL_MIN_SECONDS must not be greater than POLL_MAX_SECONDS');
  }
  return Object.freeze<Config>({
    host: values.HOST,
    port: values.PORT,
    logLevel: values.LOG_LEVEL,
    rateLimitPerMinute: values.RATE_LIMIT_PER_MINUTE,
    shutdownGraceMs: values.SHUTDOWN_GRACE_SECONDS * 1000,
    modellix: Object.freeze({
      apiKey: values.MODELLIX_API_KEY,
      baseUrl: values.MODELLIX_BASE_URL.replace(/\/$/, ''),
      submitPath: values.MODELLIX_SUBMIT_PATH,
      tasksPath: values.MODELLIX_TASKS_PATH,
      connectTimeoutMs: values.MODELLIX_CONNECT_TIMEOUT_SECONDS * 1000,
      submitTimeoutMs: values.MODELLIX_SUBMIT_TIMEOUT_SECONDS * 1000,
      queryTimeoutMs: values.MODELLIX_QUERY_TIMEOUT_SECONDS * 1000,
      videoTimeoutMs: values.VIDEO_TIMEOUT_SECONDS * 1000,
    }),
    store: Object.freeze(
      values.REDIS_URL === undefined
        ? { kind: 'embedded' as const, dir: values.DATA_DIR }
        : { kind: 'redis' as const, url: values.REDIS_URL, keyPrefix: values.REDIS_KEY_PREFIX },
    ),
    gateway: Object.freeze({
      submitGraceMs: values.SUBMIT_GRACE_SECONDS * 1000,
      pollMinMs: values.POLL_MIN_SECONDS * 1000,
      pollMaxMs: values.POLL_MAX_SECONDS * 1000,
      queueTimeoutMs: values.QUEUE_TIMEOUT_MINUTES * 60_000,
      taskTimeoutMs: values.TASK_TIMEOUT_MINUTES * 60_000,
      retentionMs: values.RETENTION_DAYS * 86_400_000,
    }),
  });
}

/** Every setting, for `--help` and the documentation. */
export const SETTINGS = Object.entries(Environment.properties).map(([name, schema]) => {
  const { description, default: fallback } = schema as { description: string; default?: unknown };
  return { name, description, fallback };
});

/** An empty variable counts as unset, which is how compose files and shells pass on what is not there. */
function withSecretFiles(env: NodeJS.ProcessEnv): Record<string, string> {
  const values: Record<string, string> = {};
  for (const [name, value] of Object.entries(env)) if (value) values[name] = value;
  for (const name of SECRETS) {
    const file = values[`${name}_FILE`];
    if (file === undefined) continue;
    if (values[name] !== undefined) throw new ConfigError(`${name} and ${name}_FILE are both set: give one`);
    try {
      values[name] = readFileSync(file, 'utf8').trim();
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code ?? 'unreadable';
      throw new ConfigError(`${name}_FILE=${file} cannot be read (${code})`);
    }
  }
  return values;
}

interface AjvError {
  readonly instancePath: string;
  readonly keyword: string;
  readonly message?: string;
  readonly params: Record<string, unknown>;
}

function parse(values: Record<string, string>): Environment {
  try {
    return envSchema<Environment>({ schema: Environment, data: values, env: false, dotenv: false });
  } catch (error) {
    const first = (error as { errors?: AjvError[] }).errors?.[0];
    if (first === undefined) throw error;
    throw new ConfigError(describe(first, values));
  }
}

function describe(
  { instancePath, keyword, message, params }: AjvError,
  values: Record<string, string>,
): string {
  if (keyword === 'required') {
    const name = String(params.missingProperty);
    return `${name} is not set: give the key, or ${name}_FILE with a file that holds it`;
  }
  const name = instancePath.slice(1);
  const shown = (SECRETS as readonly string[]).includes(name) ? name : `${name}=${values[name]}`;
  const allowed = keyword === 'enum' ? `: ${(params.allowedValues as string[]).join(', ')}` : '';
  return `${shown} ${message ?? 'is not valid'}${allowed}`;
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
}
