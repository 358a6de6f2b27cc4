/** What may be logged. src/telemetry/log.ts writes these fields and leaves out every other. */

/**
 * The fields of a log line. None of them may hold a header, a body, media, a URL with its query or a secret; a new one is
 * added here and to the table of src/telemetry/log.ts, or it does not compile.
 */
export interface LogFields {
  readonly err?: unknown;
  readonly avatarId?: string | undefined;
  readonly taskId?: string | null;
  readonly mode?: string;
  readonly status?: string | number | null;
  readonly step?: string | undefined;
  readonly attempt?: number | undefined;
  readonly polls?: number;
  readonly failures?: number;
  readonly outcome?: string;
  /** Why, in words of ours or of Modellix. */
  readonly reason?: string | null;
  /** What Modellix says and the gateway does not understand. */
  readonly word?: string;
  readonly upstreamStatus?: string | number | null;
  /** What an operator found out. */
  readonly made?: boolean;
  readonly refused?: string;
  readonly renewal?: string;
  readonly keptBytes?: number;
  /** The origin of a callback URL. */
  readonly receiver?: string;
  readonly latencyMs?: number | null;
  /** What submits go by. */
  readonly path?: string;
  /** The id of a key to Modellix, which leads back to none. */
  readonly key?: string;
  readonly keys?: number;
  readonly restMs?: number;
  readonly ok?: boolean;
  readonly spooled?: boolean;
  readonly answers?: number;
  /** The name of a spooled answer's file. */
  readonly file?: string;
  readonly slug?: string;
  readonly reqId?: string;
  readonly signal?: string | undefined;
  /** The name of a caller. */
  readonly caller?: string;
  readonly period?: string;
  readonly spentUsd?: number;
  readonly capUsd?: number;
  /** What Modellix billed for an avatar, and what it comes to by the price. */
  readonly billedUsd?: number;
  readonly estimatedUsd?: number;
  /** How many callers there are. */
  readonly callers?: number;
  /** The name of a setting that names a file. */
  readonly variable?: string;
  readonly permissions?: string;
  readonly maxConnections?: number;
  readonly dropped?: number;
  /** How many files may be open. */
  readonly files?: number;
  /** Where a proxy is: host and port. */
  readonly proxy?: string;
  /** What a Redis can lose tasks by. */
  readonly hazards?: readonly string[];
}

/** Fields that have no place in a log line, also where they come by a spread or in a variable. */
type Strange<Fields> = Fields extends unknown ? Exclude<keyof Fields, keyof LogFields> : never;

type Write = <Fields extends LogFields>(
  fields: Fields & Record<Strange<Fields>, never>,
  message: string,
) => void;

/** pino's shape, so that fields come first. */
export interface Log {
  readonly info: Write;
  readonly warn: Write;
  readonly error: Write;
}
