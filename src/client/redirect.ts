import { GatewayError } from './errors.js';

/** In a page, a redirect has neither a status nor a place (Fetch, "opaque-redirect filtered response"). */
export function isRedirect({ type, status }: Response): boolean {
  return type === 'opaqueredirect' || (status >= 300 && status < 400 && status !== 304);
}

/**
 * Says where the gateway is, where the redirect leads to the same path elsewhere. Its query may be secret, and is not shown.
 * @param path of the request, with its query
 */
export function redirectError(
  { status, headers, body }: Response,
  base: string,
  path: string,
  idempotencyKey: string | null,
): GatewayError {
  void body?.cancel().catch(() => {});
  const location = headers.get('location');
  const to = location && URL.canParse(location, base + path) ? new URL(location, base + path) : null;
  const place = to === null ? 'nowhere' : to.origin + to.pathname;
  const answer = status === 0 ? 'a redirect' : `${status}, a redirect to ${place}`;
  const end = path.replace(/\?.*/, '');
  const advice = place.endsWith(end) ? `; use ${place.slice(0, -end.length)} as the gateway's address` : '';
  return new GatewayError({
    ...{ status, problem: null, requestId: headers.get('x-request-id'), retryAfterMs: null, idempotencyKey },
    words: `The answer was ${answer}, which is not followed${advice}`,
  });
}
