import type { FastifyRequest } from 'fastify';
import type { AvatarRequest } from '../gateway/request.js';
import { callerOf } from './caller.js';
import { idempotencyKeyOf } from './idempotency-key.js';
import { mediaRequestOf } from './media-request.js';
import type { CreateAvatar } from './schemas/avatar.js';

/** A W3C Trace Context parent (https://www.w3.org/TR/trace-context/#traceparent-header); a malformed one is as good as none. */
const TRACEPARENT = /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/;

/**
 * The avatar that a request asks for.
 * @param body as its schema allows it
 * @throws {ProblemError} `idempotency-key-invalid`; `idempotency-key-required`, where there must be one
 */
export function creationOf(request: FastifyRequest, body: CreateAvatar, requireKey: boolean): AvatarRequest {
  const { traceparent, 'idempotency-key': key } = request.headers;
  return {
    caller: callerOf(request),
    idempotencyKey: idempotencyKeyOf(key, requireKey),
    ...mediaRequestOf(request, body),
    prompt: body.prompt ?? null,
    externalId: body.external_id ?? null,
    metadata: body.metadata ?? {},
    callbackUrl: body.callback_url ?? null,
    traceparent: typeof traceparent === 'string' && TRACEPARENT.test(traceparent) ? traceparent : null,
  };
}
