/** What one connection may take of the gateway, and for how long: the numbers, and why they are so. */

/** 10 MB and 5 MB (MiB) of media in base64, and room for the rest. */
export const MAX_BODY_BYTES = Math.ceil(((10 + 5) * 1024 * 1024 * 4) / 3) + 512 * 1024;

/** As many as Apache takes. Node would drop those beyond 2,000 without a word, the one that matters among them. */
export const MAX_HEADERS = 100;

/**
 * How long nothing at all may move on a connection while a request is answered: its caller is gone, or takes nothing of
 * the answer. Above the longest silence that is meant to be: VIDEO_TIMEOUT_SECONDS is 600 at most, a wait 60 seconds,
 * and event streams have a heartbeat.
 */
export const INACTIVE_MS = 900_000;

/** Of the management port: some probes and scrapers. */
export const MAX_MANAGEMENT_CONNECTIONS = 256;

/** Of the port for pushes: Modellix, or a proxy before it. */
export const MAX_PUSH_CONNECTIONS = 1_024;

/** As options of Fastify; times in ms. */
export const CONNECTION_LIMITS = {
  bodyLimit: MAX_BODY_BYTES,
  connectionTimeout: INACTIVE_MS,
  /**
   * Until a request is whole. Node's default; a body of the largest size needs 70 kB/s to be in time. Bodies that stall are
   * given up sooner, see `plugins/uploads.ts`.
   */
  requestTimeout: 300_000,
  /**
   * How long a connection may carry nothing between two requests. Longer than the 60 seconds that nginx, Envoy's and
   * Amazon's balancers keep one for at most: who sends the next request has to be the one who hangs up, or that
   * request meets a closed connection.
   */
  keepAliveTimeout: 72_000,
  /** Any number: a proxy sends thousands of callers over one connection, and to begin anew wins nothing. */
  maxRequestsPerSocket: 0,
  http: {
    /** All headers of a request together; Node's default, and twice what nginx passes on unless it is told otherwise. */
    maxHeaderSize: 16 * 1024,
    /** From the first byte, or from the connection where none comes, to the last header. They fit into one packet or two. */
    headersTimeout: 10_000,
    /** How often it is looked whether requests are in time. Only those that are late cost anything. */
    connectionsCheckingInterval: 1_000,
    /** Without one a request is refused by `plugins/well-formed.ts`: Node's own answer has no body. */
    requireHostHeader: false,
  },
};
