import { Type } from 'typebox';
import { isFinal } from '../../domain/avatar.js';
import type { VersionedSnapshot } from '../../gateway/view.js';
import { ProblemError } from '../../problems.js';
import { requireAccept } from '../accept.js';
import { callerParameter, scopeIn } from '../access/scope.js';
import { rendered } from '../avatar/rendered.js';
import { logOf } from '../log.js';
import { AvatarParams } from '../schemas/avatar.js';
import { answer, commonHeaders, noContent } from '../schemas/responses.js';
import { noQuery, OptionalString } from '../schemas/types.js';
import { avatarFrame, changeFrame, deletedFrame, resetFrame } from '../streams/event-frames.js';
import { EventStream } from '../streams/event-stream.js';
import type { Routes } from './options.js';

/** How soon it is worth to ask again for a stream there was no place for, in seconds. */
const NO_ROOM_SECONDS = 10;

const lastEventId = Type.Object({
  'last-event-id': OptionalString(
    'The `id` of the last event that was received; an EventSource sends it by itself.',
  ),
});

const feedParameters = Type.Object(callerParameter, { additionalProperties: false });

const streamHeaders = {
  ...commonHeaders,
  'Cache-Control': Type.Literal('no-store, no-transform', { description: 'For proxies: do not compress.' }),
  'X-Accel-Buffering': Type.Literal('no', { description: 'For proxies: pass each event on at once.' }),
};

const events = { 'text/event-stream': { schema: Type.String() } };

/** Server-sent events (HTML Living Standard, 9.2). */
export const eventRoutes: Routes = async (app, { gateway, held }) => {
  app.get(
    '/avatars/events',
    {
      config: { access: 'caller' },
      exposeHeadRoute: false,
      onRequest: requireAccept('text/event-stream'),
      schema: {
        operationId: 'followAvatars',
        tags: ['avatars'],
        summary: 'Be told of all your avatars',
        description:
          'Server-sent events: `avatar` with the avatar each time one of yours changes, `deleted` with its `id` when one is removed; for admins of all callers, or of one of them. From now on; with `Last-Event-ID` from behind that event, for a day at least. Where that is too long ago, `reset` comes first: read the list.',
        querystring: feedParameters,
        headers: lastEventId,
        response: { 200: answer('Events until you hang up.', events, streamHeaders) },
      },
    },
    async (request, reply) => {
      const scope = scopeIn(request, request.query.caller);
      const after = placeIn(request.headers['last-event-id']);
      const place = held.hold(request, reply) ?? noRoom();
      const leave = await gateway.followAll(scope, after, (at) => {
        const stream = new EventStream(place, request, reply, String(at));
        return {
          changed: (at, seen) => stream.send(changeFrame(at, seen, app.basePath)),
          removed: (id) => stream.send(deletedFrame(id)),
          lost: (at) => stream.send(resetFrame(at)),
          ended(err) {
            if (err) logOf(request).warn({ err }, 'an event stream ended before it had caught up');
            stream.end();
          },
          reader: stream,
        };
      });
      place.onEnd(leave);
    },
  );

  app.get(
    '/avatars/:id/events',
    {
      config: { access: 'caller' },
      exposeHeadRoute: false,
      onRequest: requireAccept('text/event-stream'),
      schema: {
        operationId: 'followAvatar',
        tags: ['avatars'],
        summary: 'Be told of an avatar',
        description:
          'Server-sent events: `avatar` with the avatar as it is now, and each time it changes. The stream ends after a final state; whoever comes back with the `Last-Event-ID` of that gets 204, which ends an EventSource. `deleted` where it is removed.',
        params: AvatarParams,
        querystring: noQuery,
        headers: lastEventId,
        response: {
          200: answer('Events until it is final.', events, streamHeaders),
          204: noContent('You had its final state already.'),
        },
      },
    },
    async (request, reply) => {
      const had = /^\d+-(.+)$/.exec(String(request.headers['last-event-id'] ?? ''))?.[1];
      const { id } = request.params;
      const place = held.hold(request, reply) ?? noRoom();
      const leave = await gateway.follow(scopeIn(request), id, (present) => {
        const isKnown = had === rendered(present.avatar, app.basePath).fingerprint;
        const isOver = isFinal(present.avatar.status);
        if (isKnown && isOver) return null;
        const stream = new EventStream(place, request, reply);
        const told = (seen: VersionedSnapshot | null): void => {
          stream.send(seen === null ? deletedFrame(id) : avatarFrame(seen, app.basePath));
          if (seen === null || isFinal(seen.avatar.status)) stream.end();
        };
        if (!isKnown) told(present);
        return isOver ? null : { told, ended: () => stream.end() };
      });
      place.onEnd(leave);
      if (!reply.sent) return reply.code(204).send();
    },
  );
};

/** @throws {ProblemError} `overloaded` */
function noRoom(): never {
  throw new ProblemError('overloaded', 'You hold as many event streams and waits as you may for now.', {
    headers: { 'retry-after': String(NO_ROOM_SECONDS) },
  });
}

/** One that was never given out is as one that is too old. */
function placeIn(lastEventId: string | undefined): number | null {
  if (!lastEventId) return null;
  const place = /^\d+$/.test(lastEventId) ? Number(lastEventId) : Number.POSITIVE_INFINITY;
  return Math.min(place, Number.MAX_SAFE_INTEGER);
}
