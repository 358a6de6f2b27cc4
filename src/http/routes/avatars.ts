import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';

import type { Gateway } from '../../gateway/gateway.js';
import { PROBLEMS, ProblemError } from '../../problems.js';
import { requireAccept } from '../accept.js';
import { callerOf } from '../caller.js';
import { idempotencyKeyOf } from '../idempotency-key.js';
import { mediaRequestOf } from '../media-request.js';
import {
  AvatarParams,
  avatarContent,
  type CreateAvatar,
  createBody,
  createHeaders,
} from '../schemas/avatar.js';
import { acceptedHeaders, commonHeaders, noQuery, problems } from '../schemas/responses.js';
import { avatarView } from '../view.js';

/** How soon a caller had best look again, in seconds. */
const LOOK_AGAIN_SECONDS = 5;

/** A W3C Trace Context parent (https://www.w3.org/TR/trace-context/#traceparent-header). */
const TRACEPARENT = /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/;

interface Options {
  readonly gateway: Gateway;
  readonly requireIdempotencyKey: boolean;
}

export const avatarRoutes: FastifyPluginAsyncTypebox<Options> = async (app, options) => {
  const { gateway, requireIdempotencyKey } = options;
  app.post<{ Body: CreateAvatar }>(
    '/avatars',
    {
      config: { takesForms: true },
      onRequest: requireAccept('application/json'),
      schema: {
        operationId: 'createAvatar',
        tags: ['avatars'],
        summary: 'Make a talking avatar',
        description:
          'Checks the portrait and the speech, submits them to Modellix once, and answers as soon as that is settled, at once with `queued` where others are before it or the limits of Modellix are used up, or after a short grace with `submitting`. The request is never sent to Modellix twice. With an `Idempotency-Key` it is safe to repeat: the same key and the same request give the same avatar, as it is then.',
        querystring: noQuery,
        headers: createHeaders,
        body: createBody,
        response: {
          202: {
            description: 'Accepted. The avatar is at Modellix, or will be sent there.',
            headers: acceptedHeaders,
            content: avatarContent,
          },
          ...problems(400, 406, 408, 413, 415, 422, 429, 500, 503),
        },
      },
    },
    async (request, reply) => {
      const { body } = request;
      const idempotencyKey = idempotencyKeyOf(request.headers['idempotency-key']);
      if (idempotencyKey === null && requireIdempotencyKey) {
        throw new ProblemError('idempotency-key-required', PROBLEMS['idempotency-key-required'].help);
      }
      const { replayed, ...made } = await gateway.create({
        caller: callerOf(request),
        idempotencyKey,
        ...mediaRequestOf(body, request.media),
        prompt: body.prompt ?? null,
        externalId: body.external_id ?? null,
        metadata: body.metadata ?? {},
        callbackUrl: null,
        traceparent: traceparentOf(request.headers.traceparent),
        keepMemory: () => request.memory?.keep() ?? (() => undefined),
      });
      const view = avatarView(made);
      if (replayed) reply.header('idempotent-replayed', 'true');
      return reply
        .code(202)
        .headers({ location: view.links.self, 'retry-after': LOOK_AGAIN_SECONDS })
        .send(view);
    },
  );

  app.get(
    '/avatars/:id',
    {
      onRequest: requireAccept('application/json'),
      schema: {
        operationId: 'getAvatar',
        tags: ['avatars'],
        summary: 'Read an avatar',
        description: 'Answers from the store; it never makes a call to Modellix.',
        params: AvatarParams,
        querystring: noQuery,
        response: {
          200: {
            description: 'The avatar as it is now.',
            headers: commonHeaders,
            content: avatarContent,
          },
          ...problems(400, 404, 406, 429, 500, 503),
        },
      },
    },
    async (request, reply) => {
      const seen = await gateway.read(callerOf(request), request.params.id);
      return reply.header('cache-control', 'no-store').send(avatarView(seen));
    },
  );
};

/** A malformed parent is as good as none (https://www.w3.org/TR/trace-context/#traceparent-header). */
export function traceparentOf(header: string | string[] | undefined): string | null {
  return typeof header === 'string' && TRACEPARENT.test(header) ? header : null;
}
