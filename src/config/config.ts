/** What the process is given: everything below the root gets its part of it. */

import type { Mode } from '../domain/avatar.js';
import type { ProxySettings } from '../modellix/proxies.js';
import type { Network } from '../outbound/addresses.js';
import type { SecretFile } from './environment.js';
import type { Environment } from './settings.js';

/** Times are in milliseconds. */
export interface Config {
  readonly host: string;
  readonly port: number;
  readonly logLevel: Environment['LOG_LEVEL'];
  /** Who may call: those in a file, programs on this machine, or whoever reaches the port. */
  readonly callers:
    | { readonly kind: 'file'; readonly file: string }
    | { readonly kind: 'loopback' }
    | { readonly kind: 'anyone' };
  /** Files that only the gateway should be able to read: those of secrets, and that of the callers. */
  readonly secretFiles: readonly SecretFile[];
  readonly trustedProxies: readonly Network[];
  /** Where `/livez`, `/readyz` and `/metrics` are, if not with the rest. */
  readonly management: { readonly host: string; readonly port: number } | null;
  /** What Modellix pushes; `null`: it is not told where. */
  readonly pushes: {
    /** How Modellix reaches the gateway, without a slash at the end. */
    readonly url: string;
    /** Where pushes are taken, if not with the rest. */
    readonly listen: { readonly host: string; readonly port: number } | null;
  } | null;
  readonly maxConnections: number;
  readonly rateLimitPerMinute: number;
  /** What becomes of requests that cannot be counted, those aside that make an avatar. */
  readonly rateLimitFails: 'open' | 'closed';
  /** What a second of video costs, in US dollars. */
  readonly usdPerSecond: Readonly<Record<Mode, number>>;
  readonly maxWaiters: number;
  readonly readStalenessMs: number;
  readonly requireIdempotencyKey: boolean;
  readonly publicUrl: string | null;
  readonly shutdownDelayMs: number;
  /** Names that callers without a key may send in `Host`, in lower case. */
  readonly allowedHosts: readonly string[];
  readonly shutdownGraceMs: number;
  readonly modellix: {
    readonly keys: readonly string[];
    /** Where the keys were read from; it is read again when it changes. */
    readonly keyFile: string | null;
    readonly baseUrl: string;
    /** The forms of the path of a submit, in the order in which they are tried; one at least. */
    readonly submitPaths: readonly string[];
    readonly tasksPath: string;
    /** On the way to it, and to its video host. */
    readonly proxies: ProxySettings;
    readonly connectTimeoutMs: number;
    readonly submitTimeoutMs: number;
    readonly queryTimeoutMs: number;
    readonly videoTimeoutMs: number;
    readonly longPollMs: number;
  };
  /** What one key may do at most. */
  readonly limits: { readonly callsPerMinute: number; readonly tasks: number };
  readonly media: {
    /** What may be in memory at once. */
    readonly maxBytes: number;
    readonly uploadStallMs: number;
    readonly urls: {
      readonly check: Environment['CHECK_MEDIA_URLS'];
      readonly timeoutMs: number;
      readonly allowedNetworks: readonly Network[];
    };
  };
  readonly callbacks: {
    /** `whsec_...`; where there is none, nobody can be told. */
    readonly secrets: readonly string[];
    readonly timeoutMs: number;
    readonly allowedNetworks: readonly Network[];
  };
  readonly videos: {
    /** How long a caller may take nothing of one. */
    readonly stallMs: number;
    /** What they may be fetched from besides the public internet and Modellix's own host. */
    readonly allowedNetworks: readonly Network[];
    /** `null`: they are left where Modellix keeps them. */
    readonly keep: { readonly dir: string; readonly maxBytes: number; readonly maxTotalBytes: number } | null;
  };
  /** Holds the embedded store, and answers that wait for the store. */
  readonly dataDir: string;
  readonly store:
    | { readonly kind: 'embedded' }
    | {
        readonly kind: 'redis';
        readonly url: string;
        readonly sentinelPassword: string | undefined;
        /** PEM. */
        readonly tlsCa: string | undefined;
        readonly tlsServername: string | undefined;
        /** Where those came from that were in files; they are read again for each connection. */
        readonly files: {
          readonly url: string | undefined;
          readonly sentinelPassword: string | undefined;
          readonly tlsCa: string | undefined;
        };
        readonly keyPrefix: string;
        readonly durability: 'strict' | 'warn';
        readonly waitFor: { readonly replicas: number; readonly ownFile: boolean };
      };
  readonly gateway: {
    readonly submitGraceMs: number;
    readonly pollMinMs: number;
    readonly pollMaxMs: number;
    readonly queueTimeoutMs: number;
    readonly queueBounds: { readonly maxAvatars: number; readonly maxBytes: number };
    readonly unconfirmedHoldMs: number;
    readonly taskTimeoutMs: number;
    readonly retentionMs: number;
    readonly notMadeOn: ReadonlySet<number>;
  };
}
