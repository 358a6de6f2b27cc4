import type { FastifyReply, FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import { isFinal } from '../../domain/avatar.js';
import { scopeOf } from '../../domain/caller.js';
import type { FeedFollower, Follower } from '../../gateway/follow.js';
import type { Log } from '../../gateway/log.js';
import { ProblemError } from '../../problems.js';
import { requireAccept } from '../accept.js';
import { callerOf } from '../caller.js';
import { fingerprintOf } from '../etag.js';
import { avatarFrame, changeFrame, deletedFrame, resetFrame } from '../event-frames.js';
import { EventStream } from '../event-stream.js';
import type { HeldRequest } from '../held-requests.js';
import { logOf } from '../log.js';
import { AvatarParams } from '../schemas/avatar.js';
import { answer, commonHeaders, noContent, noQuery } from '../schemas/responses.js';
import { OptionalString } from '../schemas/types.js';
import { callerParameter, scopeIn } from '../scope.js';
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
  /** @throws {ProblemError} `overloaded` */
  function hold(request: FastifyRequest, reply: FastifyReply): HeldRequest {
    const place = held.hold(request, reply);
    if (place !== null) return place;
    throw new ProblemError('overloaded', 'You hold as many event streams and waits as you may for now.', {
      headers: { 'retry-after': String(NO_ROOM_SECONDS) },
    });
  }

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
        response: {
          200: answer('Events until you hang up.', events, streamHeaders),
        },
      },
    },
    async (request, reply) => {
      const scope = scopeIn(callerOf(request), request.query.caller);
      const after = placeIn(request.headers['last-event-id']);
      const place = hold(request, reply);
      const leave = await gateway.followAll(scope, after, (at, isLost) => {
        const stream = new EventStream(place, request, reply, String(at));
        if (isLost) stream.send(resetFrame(at));
        return feedTo(stream, logOf(request), app.basePath);
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
      const place = hold(request, reply);
      const leave = await gateway.follow(scopeOf(callerOf(request)), id, (present) => {
        const isKnown = had === fingerprintOf(present.avatar);
        const isOver = isFinal(present.avatar.status);
        if (isKnown && isOver) return null;
        const follower = avatarTo(new EventStream(place, request, reply), id, app.basePath);
        if (!isKnown) follower.told(present);
        return isOver ? null : follower;
      });
      place.onEnd(leave);
      if (!reply.sent) return reply.code(204).send();
    },
  );
};

function avatarTo(stream: EventStream, id: string, basePath: string): Follower {
  return {
    told(seen) {
      stream.send(seen === null ? deletedFrame(id) : avatarFrame(seen, basePath));
      if (seen === null || isFinal(seen.avatar.status)) stream.end();
    },
    ended: () => stream.end(),
  };
}

function feedTo(stream: EventStream, log: Log, basePath: string): FeedFollower {
  return {
    changed: (at, seen) => stream.send(changeFrame(at, seen, basePath)),
    removed: (id) => stream.send(deletedFrame(id)),
    lost: (at) => stream.send(resetFrame(at)),
    ended: () => stream.end(),
    failed(error) {
      log.warn({ err: error }, 'an event stream ended before it had caught up');
      stream.end();
    },
    get isBehind() {
      return stream.isBehind;
    },
    drained: () => stream.drained(),
  };
}

/** One that was never given out is as one that is too old. */
function placeIn(lastEventId: string | undefined): number | null {
  if (lastEventId === undefined || lastEventId === '') return null;
  const place = /^\d+$/.test(lastEventId) ? Number(lastEventId) : Number.MAX_SAFE_INTEGER;
  return Math.min(place, Number.MAX_SAFE_INTEGER);
}
