import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

/** Nothing of an answer is a page: a browser that takes one for a page may load and run nothing. */
const API_POLICY = "default-src 'none';base-uri 'none';form-action 'none';frame-ancestors 'none'";

/** Videos are shown by a page that browsers make around them, which loads them once more. */
const VIDEO_POLICY = `${API_POLICY};media-src 'self'`;

/**
 * Swagger UI. Its scripts are files, its pictures stand in its style sheet as `data:`; some styles it writes into the page,
 * others with each version.
 */
const PAGE_POLICY = `${API_POLICY};connect-src 'self';img-src 'self' data:;script-src 'self';style-src 'self' 'unsafe-inline'`;

/** Whether there is TLS is known to what stands in front: nothing is said of it here. */
const HEADERS: Readonly<Record<string, string>> = {
  'content-security-policy': API_POLICY,
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
};

/** Of answers that no hook sees. */
export const BARE_HEADERS: Readonly<Record<string, string>> = { 'cache-control': 'no-store', ...HEADERS };

/**
 * What tells browsers to make nothing of an answer but what it is, and all who keep answers not to keep it unless it says
 * so itself. Call it before hooks are added that may refuse a request.
 */
export function addHeaders(app: FastifyInstance): void {
  app.addHook('onRequest', ({ id }, reply, done) => {
    reply.header('x-request-id', id).headers(HEADERS);
    done();
  });
  app.addHook('onSend', (_request, reply, _payload, done) => {
    if (!reply.hasHeader('cache-control')) reply.header('cache-control', 'no-store');
    done();
  });
}

const allow = (policy: string) => async (_request: FastifyRequest, reply: FastifyReply) => {
  reply.header('content-security-policy', policy);
};
/** Hooks for routes that answer with a page, and with a video. */
export const [allowPage, allowVideo] = [allow(PAGE_POLICY), allow(VIDEO_POLICY)];
