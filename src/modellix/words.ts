const WORDS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection reset',
  EPIPE: 'connection reset',
  ENOTFOUND: 'host name not found',
  EAI_AGAIN: 'host name look-up failed',
  ETIMEDOUT: 'connection timed out',
  UND_ERR_CONNECT_TIMEOUT: 'no connection in time',
  UND_ERR_HEADERS_TIMEOUT: 'no answer in time',
  UND_ERR_BODY_TIMEOUT: 'the answer stalled',
  UND_ERR_SOCKET: 'the other side closed the connection',
  UND_ERR_RES_EXCEEDED_MAX_SIZE: 'the answer is over the size limit',
  UND_ERR_HEADERS_OVERFLOW: "the answer's head is over the size limit",
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: 'the answer was cut short',
  UND_ERR_DESTROYED: 'the client is closed',
  UND_ERR_CLOSED: 'the client is closed',
  // Of the connector for videos.
  AddressNotAllowedError: 'its host is not on the public internet, and not in VIDEO_NETWORKS',
};

/** A tunnel was not made. The message may be shown. */
export class ProxyError extends Error {
  override readonly name = 'ProxyError';
}

/** An error by its code alone: a message might hold an address, a header or a URL with its signature. */
export function wordsFor(error: unknown): string {
  if (!(error instanceof Error)) return 'an unknown error';
  if (error instanceof ProxyError) return error.message;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : error.name;
  return WORDS[code] ?? `the connection failed (${code})`;
}
