import type { IncomingMessage } from 'node:http';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import type { Gateway } from '../../gateway/gateway.js';
import { ProblemError } from '../../problems.js';
import { endSlowUploads } from '../plugins/uploads.js';
import { noContent, problems } from '../schemas/responses.js';
import { AnyString } from '../schemas/types.js';

export interface PushOptions {
  readonly gateway: Pick<Gateway, 'push'>;
  /** How long a body may gain next to nothing. */
  readonly uploadStallMs: number;
}

const MAX_BYTES = 256 * 1024;

/**
 * What Modellix pushes. Its body is read to its end, so that the connection can be used again, and nothing is made of it: not
 * even its type matters.
 */
export const pushRoutes: FastifyPluginAsyncTypebox<PushOptions> = async (app, { gateway, uploadStallMs }) => {
  endSlowUploads(app, uploadStallMs);
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', (_request: unknown, body: IncomingMessage) => drop(body));
  app.post(
    '/modellix/:token',
    {
      logLevel: 'warn',
      config: { access: 'open', rateLimit: false },
      onRequest: async ({ headers }) => {
        if (Number(headers['content-length'] ?? 0) > MAX_BYTES) throw tooLarge();
        delete headers['content-type'];
      },
      schema: {
        operationId: 'push',
        tags: ['operations'],
        summary: 'Take a push of Modellix',
        description:
          'For Modellix alone, which is told this URL with each submit where `MODELLIX_WEBHOOK_URL` is set. Nothing in the body is looked at, whatever its type: the avatar is polled. Where `MODELLIX_WEBHOOK_PORT` is set, it is served there and nowhere else.',
        params: Type.Object({ token: AnyString('Stands for one avatar, and cannot be guessed.') }),
        response: {
          204: noContent('The avatar is polled soon, or need not be.'),
          ...problems(404, 408, 413, 429, 500, 503),
        },
      },
    },
    async ({ params }, reply) => {
      await gateway.push(params.token);
      return reply.code(204).send();
    },
  );
};

/** Reads a body to its end and keeps nothing of it. @throws {ProblemError} `payload-too-large`, `bad-request` */
function drop(body: IncomingMessage): Promise<void> {
  let bytes = 0;
  return new Promise((resolve, reject) => {
    const broken = (cause: unknown) =>
      reject(new ProblemError('bad-request', 'The connection ended before the body did.', { cause }));
    const arrived = (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= MAX_BYTES) return;
      body.off('data', arrived).pause();
      reject(tooLarge());
    };
    if (body.destroyed) broken(body.errored);
    else body.on('data', arrived).once('end', resolve).once('error', broken);
  });
}

function tooLarge(): ProblemError {
  return new ProblemError('payload-too-large', `A push may have ${MAX_BYTES / 1024} kB.`);
}
