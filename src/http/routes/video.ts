import { Readable } from 'node:stream';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { scopeOf } from '../../domain/caller.js';
import type { Gateway } from '../../gateway/gateway.js';
import { ProblemError } from '../../problems.js';
import { requireAccept } from '../accept.js';
import { callerOf } from '../caller.js';
import { onEnd } from '../end.js';
import { allowVideo } from '../plugins/headers.js';
import { AvatarParams } from '../schemas/avatar.js';
import { commonHeaders, noContent, problems } from '../schemas/responses.js';
import { endStalledReads } from '../stall.js';

const Query = Type.Object(
  {
    download: Type.Optional(
      Type.Boolean({
        default: false,
        description: '`true`: a browser saves it rather than shows it.',
      }),
    ),
    redirect: Type.Optional(
      Type.Boolean({
        default: false,
        description:
          '`true`: answer 302 with the place at Modellix instead of the bytes; with the bytes all the same where the gateway has kept them.',
      }),
    ),
  },
  { additionalProperties: false },
);

const bytes = { 'video/mp4': { schema: Type.String({ contentMediaType: 'video/mp4' }) } };

const videoHeaders = {
  ...commonHeaders,
  'Cache-Control': Type.Literal('private, no-store'),
  'Accept-Ranges': Type.String({ description: '`bytes`, where the host of the video said so.' }),
  'Content-Disposition': Type.String({
    description: '`inline`, or `attachment` with `download=true`; and a name for the file.',
  }),
  'Content-Length': Type.Integer({ description: 'Bytes in this answer.' }),
  ETag: Type.String({ description: "The host's, for `If-Range`." }),
};

interface Options {
  readonly gateway: Gateway;
  /** How long a caller may take nothing of a video. */
  readonly videoStallMs: number;
}

export const videoRoutes: FastifyPluginAsyncTypebox<Options> = async (app, { gateway, videoStallMs }) => {
  app.get(
    '/avatars/:id/video',
    {
      config: { access: 'caller' },
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
          range: Type.Optional(Type.String({ description: 'For example `bytes=0-1023`.' })),
          'if-range': Type.Optional(Type.String({ description: 'An `ETag` from an earlier answer.' })),
        }),
        response: {
          200: { description: 'The video.', headers: videoHeaders, content: bytes },
          206: {
            description: 'The range of it that was asked for.',
            headers: {
              ...videoHeaders,
              'Content-Range': Type.String({ description: '`bytes first-last/size`' }),
            },
            content: bytes,
          },
          302: noContent(
            'Where Modellix keeps it, with `redirect=true`. The URL is signed: treat it as a secret.',
            { ...commonHeaders, Location: Type.String({ description: 'The URL at Modellix.' }) },
          ),
          ...problems(400, 404, 406, 409, 410, 416, 429, 500, 502, 503),
        },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const { redirect, download } = request.query;
      const url = redirect ? await gateway.videoUrl(scopeOf(callerOf(request)), id) : null;
      if (url !== null) {
        const { href } = new URL(url); // in ASCII, as a header must be
        return reply.redirect(href, 302);
      }
      endStalledReads(request, reply, videoStallMs);
      const hungUp = new AbortController();
      onEnd(request, reply, () => hungUp.abort());
      const { range, 'if-range': ifRange } = request.headers;
      const { status, headers, body } = await gateway.video(scopeOf(callerOf(request)), id, {
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
        .send(Readable.from(namingErrors(body), { objectMode: false }));
    },
  );
};

/** Where the host breaks off before the first byte, the caller still gets an answer: a problem. */
async function* namingErrors(body: Readable): AsyncGenerator<Buffer> {
  try {
    yield* body;
  } catch (cause) {
    throw new ProblemError('video-unavailable', 'The host of the video broke off.', { cause });
  }
}
