const WORDS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection reset',
  EPIPE: 'connection reset',
  EHOSTUNREACH: 'the host cannot be reached',
  ENETUNREACH: 'the host cannot be reached',
  ENOTFOUND: 'host name not found',
  ENODATA: 'host name not found',
  EAI_AGAIN: 'host name look-up failed',
  ETIMEDOUT: 'connection timed out',
  UND_ERR_SOCKET: 'the host closed the connection',
  UND_ERR_HEADERS_OVERFLOW: "the answer's head is too large",
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: 'the answer was cut short',
  // llhttp's, whose own code undici does not pass on
  HTTPParserError: 'the answer is no valid HTTP, or was cut short',
  ERR_TLS_CERT_ALTNAME_INVALID: "the host's certificate is for another name",
  CERT_HAS_EXPIRED: "the host's certificate has expired",
  DEPTH_ZERO_SELF_SIGNED_CERT: "the host's certificate is not trusted",
  SELF_SIGNED_CERT_IN_CHAIN: "the host's certificate is not trusted",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "the host's certificate is not trusted",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "the host's certificate is not trusted",
};

/** An error by its code alone: a message might hold an address, a name or a URL with its signature. */
export function wordsFor(error: unknown): string {
  if (!(error instanceof Error)) return 'an unknown error';
  const code = 'code' in error && typeof error.code === 'string' ? error.code : error.name;
  return WORDS[code] ?? `the connection failed (${code})`;
}
