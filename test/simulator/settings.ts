import Type, { type Static } from 'typebox';
import { Value } from 'typebox/value';
import { mergePatch, SUBMIT_PATHS } from './wire.js';

const Share = Type.Number({ minimum: 0, maximum: 1 });
const Count = Type.Integer({ minimum: 0 });
const strict = { additionalProperties: false };

const SettingsSchema = Type.Object(
  {
    /** Who may call. A key that is missing here, or not valid, meets a 401. */
    keys: Type.Record(Type.String(), Type.Object({ team: Type.String(), valid: Type.Boolean() }, strict)),
    /** Balance in USD; a submit at or below zero meets a 402. */
    teams: Type.Record(Type.String(), Type.Object({ balance: Type.Number() }, strict)),
    /** How long a task takes from submit to its end: any time between these is as likely as another … */
    taskMs: Type.Object({ min: Count, max: Count }, strict),
    /** … or, for a mode whose median is not 0, log-normal times; sigma is that of their natural logarithm. */
    taskMedianMs: Type.Object({ std: Count, pro: Count }, strict),
    taskSigma: Type.Number({ minimum: 0, maximum: 3 }),
    /** The part of that time in which a task is `pending`. */
    pendingShare: Share,
    /** The share of tasks that fail by themselves, and what is said of one: any of these is as likely as another. */
    failureRate: Share,
    failureReasons: Type.Array(Type.String(), { minItems: 1 }),
    /** The forms of the submit's path that there is a route for. */
    submitPaths: Type.Array(Type.String()),
    /** Calls in any window for one key. */
    callsPerMinute: Count,
    /** Calls in any window over all keys; 0 means ten times `callsPerMinute`. */
    callsPerMinuteOverall: Count,
    /** The length of the window, which slides; a minute at the vendor. */
    windowMs: Type.Integer({ minimum: 1 }),
    /** Unfinished tasks of one team. */
    concurrency: Count,
    /** The share of 429 answers that carry `Retry-After`. */
    retryAfterShare: Share,
    /** The longest a `wait=true` query is held. */
    longPollMs: Count,
    /** How long a result can be fetched after its task ended. */
    resultTtlMs: Count,
    /** How long the URL of one query is good; 0: as long as the result. */
    urlTtlMs: Count,
    /** How long after its task ended a result is not there yet. */
    resultLagMs: Count,
    /** What a URL that has expired is answered with. */
    expiredStatus: Type.Union([
      Type.Literal(400),
      Type.Literal(401),
      Type.Literal(403),
      Type.Literal(404),
      Type.Literal(410),
    ]),
    /** Whether result URLs redirect to an edge, which has the bytes. */
    resultEdge: Type.Boolean(),
    /** The content type of results. */
    resultType: Type.String(),
    /** What a second of video is billed at, in USD … */
    prices: Type.Object({ std: Type.Number({ minimum: 0 }), pro: Type.Number({ minimum: 0 }) }, strict),
    /** … and how that is said: as an amount, not at all, or in a way that is none. */
    billing: Type.Union([Type.Literal('amount'), Type.Literal('absent'), Type.Literal('malformed')]),
    /** How `result_expires_at` is written. */
    expiresAs: Type.Union([Type.Literal('ms'), Type.Literal('iso')]),
    /** Of tasks whose submit had an `X-Webhook-URL`. */
    pushes: Type.Object(
      {
        /** Any of these takes the place of the URL's origin, as behind a balancer; none: it is the URL that is called. */
        origins: Type.Array(Type.String()),
        /** How long after the end of its task a push leaves: any time between these. */
        afterMs: Type.Object({ min: Count, max: Count }, strict),
        /** The shares of tasks that are never pushed, that are pushed twice, and that are pushed with a forged token besides. */
        neverShare: Share,
        twiceShare: Share,
        forgedShare: Share,
        /** Until a push is tried again that was answered 429, 5xx or not at all; each time twice as long. */
        retryMs: Count,
      },
      strict,
    ),
    /** Base of result URLs; empty means the host the query was sent to. */
    publicUrl: Type.String(),
  },
  strict,
);

/** What can be set when the simulator starts, and changed while it runs. */
export type Settings = Static<typeof SettingsSchema>;

type Patch<T> = T extends object ? { [K in keyof T]?: Patch<T[K]> | null } : T;

/** A JSON merge patch of the settings: `{keys: {k1: {valid: false}}}`, `{keys: {k1: null}}`. */
export type SettingsPatch = Patch<Settings>;

/** The key that is known when none is set. */
export const DEFAULT_KEY = 'simulator-key';

const DEFAULT_BALANCE = 1000;

/** The limits and times of the real service, but for tasks, which take seconds rather than minutes. */
export const DEFAULTS: Settings = {
  keys: { [DEFAULT_KEY]: { team: 'team', valid: true } },
  teams: { team: { balance: DEFAULT_BALANCE } },
  taskMs: { min: 2000, max: 5000 },
  taskMedianMs: { std: 0, pro: 0 },
  taskSigma: 0.4,
  pendingShare: 0.3,
  failureRate: 0,
  failureReasons: ['Generation failed: no face was found'],
  submitPaths: [...SUBMIT_PATHS],
  callsPerMinute: 100,
  callsPerMinuteOverall: 0,
  windowMs: 60_000,
  concurrency: 3,
  retryAfterShare: 0.5,
  longPollMs: 45_000,
  resultTtlMs: 7 * 24 * 3_600_000,
  urlTtlMs: 0,
  resultLagMs: 0,
  expiredStatus: 403,
  resultEdge: false,
  resultType: 'video/mp4',
  prices: { std: 0.0448, pro: 0.0896 },
  billing: 'amount',
  expiresAs: 'ms',
  publicUrl: '',
  pushes: {
    origins: [],
    afterMs: { min: 0, max: 0 },
    neverShare: 0,
    twiceShare: 0,
    forgedShare: 0,
    retryMs: 1_000,
  },
};

/** Applies a merge patch and checks what comes of it; throws a `RangeError` that names the wrong member. */
export function patchSettings(settings: Settings, patch: unknown): Settings {
  const patched = mergePatch(structuredClone(settings), patch);
  if (!Value.Check(SettingsSchema, patched)) {
    const error = Value.Errors(SettingsSchema, patched)[0];
    throw new RangeError(`settings${error?.instancePath ?? ''}: ${error?.message ?? 'not valid'}`);
  }
  for (const { team } of Object.values(patched.keys)) patched.teams[team] ??= { balance: DEFAULT_BALANCE };
  if (patched.taskMs.min > patched.taskMs.max) throw new RangeError('settings/taskMs: min is above max');
  return patched;
}

/** Replaces the default key. `keys` is `key` or `key:team`, comma-separated. */
export function accountsOf(keys: string, balance: number): SettingsPatch {
  const entries = keys
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '')
    .map((entry) => {
      const [key = '', team = 'team'] = entry.split(':');
      return { key, team };
    });
  return {
    keys: {
      [DEFAULT_KEY]: null,
      ...Object.fromEntries(entries.map(({ key, team }) => [key, { team, valid: true }])),
    },
    teams: Object.fromEntries(entries.map(({ team }) => [team, { balance }])),
  };
}
