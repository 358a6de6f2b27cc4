import { Readable } from 'node:stream';
import { Type } from 'typebox';
import { EVERYONE } from '../../domain/caller.js';
import { requireAccept } from '../accept.js';
import { scopeIn } from '../access/scope.js';
import { endStalledReads, onEnd } from '../end.js';
import { allowVideo } from '../plugins/headers.js';
import { AvatarParams } from '../schemas/avatar.js';
import { answer, commonHeaders, noContent, problems } from '../schemas/responses.js';
import { AnyInteger, AnyString, OptionalString } from '../schemas/types.js';
import type { Routes } from './options.js';

const flag = (description: string) => Type.Optional(Type.Boolean({ default: false, description }));

const Query = Type.Object(
  {
    download: flag('`true`: a browser saves it rather than shows it.'),
    redirect: flag(
      '`true`: answer 302 with the place at Modellix instead of the bytes; with the bytes all the same where the gateway has kept them.',
    ),
    expires: OptionalString('Until when a link is good, in Unix seconds.'),
    signature: OptionalString(
      'Of a link, as tasks of `/api/v1` have it: it stands in for a key, for one video and an hour.',
    ),
  },
  { additionalProperties: false },
);

const bytes = { 'video/mp4': { schema: Type.String({ contentMediaType: 'video/mp4' }) } };

const videoHeaders = {
  ...commonHeaders,
  'Cache-Control': Type.Literal('private, no-store'),
  'Accept-Ranges': AnyString('`bytes`, where the host of the video said so.'),
  'Content-Disposition': AnyString(
    '`inline`, or `attachment` with `download=true`; and a name for the file.',
  ),
  'Content-Length': AnyInteger('Bytes in this answer.'),
  ETag: AnyString("The host's, for `If-Range`."),
};

export const videoRoutes: Routes = async (app, { gateway, videoStallMs }) => {
  app.get(
    '/avatars/:id/video',
    {
      config: { access: 'link' },
      onRequest: [requireAccept('video/mp4', 'application/octet-stream'), allowVideo],
      schema: {
        operationId: 'getVideo',
        tags: ['avatars'],
        summary: 'Fetch the video',
        description:
          'The bytes, passed on from where Modellix keeps them; `Range` and `If-Range` are passed through. Where the signed URL has expired, Modellix is asked once for a fresh one.',
        params: AvatarParams,
        querystring: Query,
        headers: Type.Object({
          range: OptionalString('For example `bytes=0-1023`.'),
          'if-range': OptionalString('An `ETag` from an earlier answer.'),
        }),
        response: {
          200: answer('The video.', bytes, videoHeaders),
          206: answer('The range of it that was asked for.', bytes, {
            ...videoHeaders,
            'Content-Range': AnyString('`bytes first-last/size`'),
          }),
          302: noContent(
            'Where Modellix keeps it, with `redirect=true`. The URL is signed: treat it as a secret.',
            { ...commonHeaders, Location: AnyString('The URL at Modellix.') },
          ),
          ...problems(409, 410, 416, 502),
        },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const { redirect, download, expires = '', signature } = request.query;
      if (signature !== undefined) {
        await gateway.checkVideoLink(id, { expires, signature });
        // As a result URL of Modellix, it may stand in any page.
        reply.header('cross-origin-resource-policy', 'cross-origin');
      }
      const scope = signature === undefined ? scopeIn(request) : EVERYONE;
      const url = redirect ? await gateway.videoUrl(scope, id) : null;
      // In ASCII, as a header must be.
      if (url !== null) return reply.redirect(new URL(url).href, 302);
      endStalledReads(request, reply, videoStallMs);
      const hungUp = new AbortController();
      onEnd(request, reply, () => hungUp.abort());
      const { range, 'if-range': ifRange } = request.headers;
      const { status, headers, body } = await gateway.video(scope, id, {
        method: request.method === 'HEAD' ? 'HEAD' : 'GET',
        range,
        ifRange,
        signal: hungUp.signal,
      });
      return reply
        .code(status)
        .headers({
          'content-type': 'video/mp4',
          ...headers,
          'content-disposition': `${download ? 'attachment' : 'inline'}; filename="${id}.mp4"`,
          'cache-control': 'private, no-store',
        })
        .send(Readable.from(body, { objectMode: false }));
    },
  );
};
