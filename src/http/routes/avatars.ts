import type { FastifyReply, FastifyRequest } from 'fastify';
import { type Avatar, isFinal } from '../../domain/avatar.js';
import type { Created } from '../../gateway/accept.js';
import { scopeIn } from '../access/scope.js';
import { isNamed } from '../avatar/etag.js';
import { jsonOf, rendered } from '../avatar/rendered.js';
import { avatarView, checkView } from '../avatar/view.js';
import { checkOf, creationOf } from '../body/creation.js';
import { releaseBody } from '../plugins/body.js';
import { preferenceApplied, preferencesIn } from '../prefer.js';
import {
  AvatarParams,
  avatarContent,
  type CreateAvatar,
  checkContent,
  createBody,
  createHeaders,
  readHeaders,
} from '../schemas/avatar.js';
import {
  acceptedHeaders,
  answer,
  avatarHeaders,
  finishedHeaders,
  noContent,
  problems,
} from '../schemas/responses.js';
import type { Routes } from './options.js';

/** How soon a caller had best look again, in seconds. */
const LOOK_AGAIN_SECONDS = 5;

export const avatarRoutes: Routes = async (app, { gateway, held, requireIdempotencyKey }) => {
  /** What is preferred, and the request as it is held for a wait: there is none where its caller may hold no more. */
  function preferred(request: FastifyRequest, reply: FastifyReply) {
    const { wait, respondAsync } = preferencesIn(request.headers.prefer);
    const waiting = wait === null ? null : held.hold(request, reply);
    return { wait: waiting === null ? null : wait, respondAsync, waiting };
  }

  app.post<{ Body: CreateAvatar }>(
    '/avatars',
    {
      config: { access: 'caller', takesForms: true },
      schema: {
        operationId: 'createAvatar',
        tags: ['avatars'],
        summary: 'Make a talking avatar',
        description:
          'Checks the portrait and the speech, submits them to Modellix once, and answers as soon as that is settled, at once with `queued` where others are before it or the limits of Modellix are used up, or after a short grace with `submitting`. The request is never sent to Modellix twice. With an `Idempotency-Key` it is safe to repeat: the same key and the same request give the same avatar, as it is then. With `Prefer: wait=n` it answers once the avatar is final, or as it is after n seconds; with `Prefer: respond-async` as soon as the avatar is stored.',
        headers: createHeaders,
        body: createBody,
        response: {
          200: answer('With `Prefer: wait`: it is final.', avatarContent, finishedHeaders),
          202: answer(
            'Accepted. The avatar is at Modellix, or will be sent there.',
            avatarContent,
            acceptedHeaders,
          ),
          ...problems(402),
        },
      },
    },
    async (request, reply) => {
      const preferences = preferred(request, reply);
      const { wait, respondAsync, waiting } = preferences;
      const endsAt = performance.now() + (wait ?? 0) * 1000;
      // Both: within so many seconds, or else 202 (RFC 7240 §4.3).
      const graceMs = wait !== null ? wait * 1000 : respondAsync ? 0 : undefined;
      const asked = creationOf(request, request.body, requireIdempotencyKey);
      let created: Created = await gateway.create({ ...asked, ...(graceMs !== undefined && { graceMs }) });
      if (waiting !== null) {
        releaseBody(request);
        created = await gateway.finish(created, waiting.within(endsAt - performance.now()));
      }
      const view = avatarView(created, app.basePath);
      if (created.replayed) reply.header('idempotent-replayed', 'true');
      reply.headers({ location: view.links.self, ...preferenceApplied(preferences) });
      if (waiting !== null && isFinal(created.avatar.status)) return reply.code(200).send(view);
      return reply.code(202).header('retry-after', LOOK_AGAIN_SECONDS).send(view);
    },
  );

  app.post<{ Body: CreateAvatar }>(
    '/avatars/check',
    {
      config: { access: 'caller', takesForms: true },
      schema: {
        operationId: 'checkAvatar',
        tags: ['avatars'],
        summary: 'Check without submitting',
        description:
          'Takes what `POST /avatars` takes and does all that it does before money is spent: says what is wrong, or what was found and what it would cost. Nothing is stored or sent to Modellix.',
        body: createBody,
        response: { 200: answer('It can be used.', checkContent) },
      },
    },
    async (request) => checkView(await gateway.check(checkOf(request, request.body))),
  );

  app.get(
    '/avatars/:id',
    {
      config: { access: 'caller' },
      schema: {
        operationId: 'getAvatar',
        tags: ['avatars'],
        summary: 'Read an avatar',
        description:
          'Answers from the store; it never makes a call to Modellix. With `Prefer: wait=n` it answers once the avatar is final, or as it is after n seconds; with `If-None-Match` as well, once it is another than that one, or 304 after n seconds.',
        params: AvatarParams,
        headers: readHeaders,
        response: {
          200: answer('The avatar as it is now.', avatarContent, avatarHeaders),
          304: noContent('It is the one that `If-None-Match` names.', avatarHeaders),
        },
      },
    },
    async (request, reply) => {
      const { wait, waiting } = preferred(request, reply);
      const { id } = request.params;
      const scope = scopeIn(request);
      const ifNoneMatch = request.headers['if-none-match'];
      const etagOf = (avatar: Avatar) => rendered(avatar, app.basePath).etag;
      const isKnown = (avatar: Avatar) => ifNoneMatch !== undefined && isNamed(ifNoneMatch, etagOf(avatar));
      const isDone = (avatar: Avatar) =>
        ifNoneMatch === undefined ? isFinal(avatar.status) : !isKnown(avatar);
      const seen =
        waiting === null
          ? await gateway.read(scope, id)
          : await gateway.wait(scope, id, waiting.within((wait ?? 0) * 1000), isDone);
      waiting?.requireKey();
      reply.headers({
        etag: etagOf(seen.avatar),
        'cache-control': 'private, no-cache',
        vary: 'Prefer',
        ...preferenceApplied({ wait, respondAsync: false }),
      });
      if (isKnown(seen.avatar)) return reply.code(304).send();
      return reply.type('application/json; charset=utf-8').send(jsonOf(seen, app.basePath));
    },
  );
};
