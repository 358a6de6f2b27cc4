import type { FastifyInstance, FastifyRequest } from 'fastify';
import { ProblemError } from '../../problems.js';
import { readJsonBody } from '../json-body.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** The long strings of the body, as bytes, by member; see `readJsonBody`. */
    lifted: ReadonlyMap<string, Buffer>;
  }
}

/** The members that may hold megabytes of base64. */
const MEDIA_MEMBERS: ReadonlySet<string> = new Set(['image', 'sound_file']);

const NOTHING: ReadonlyMap<string, Buffer> = new Map();

/** Reads JSON bodies, and refuses every other content type and every content encoding before the body is read. */
export function readBodies(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.decorateRequest('lifted');
  app.addHook('onRequest', async (request) => {
    request.lifted = NOTHING;
    const { method, headers } = request;
    if (method !== 'POST') return;
    const type = headers['content-type'];
    if (type === undefined) throw unsupported('Content-Type is missing; send application/json.');
    const charset = /;\s*charset\s*=\s*"?([^";\s]+)/i.exec(type)?.[1];
    if (charset !== undefined && charset.toLowerCase() !== 'utf-8') {
      throw unsupported(`The charset ${charset.slice(0, 40)} is not supported; send UTF-8.`);
    }
    const encoding = headers['content-encoding'];
    if (encoding !== undefined && encoding.toLowerCase() !== 'identity') {
      throw unsupported('A Content-Encoding is not supported; send the body as it is.');
    }
  });
  app.addContentTypeParser(
    'application/json',
    { parseAs: 'buffer' },
    async (request: FastifyRequest, body: Buffer) => {
      const { value, lifted } = readJsonBody(body, MEDIA_MEMBERS);
      request.lifted = lifted;
      return value;
    },
  );
}

function unsupported(detail: string): ProblemError {
  return new ProblemError('unsupported-media-type', detail);
}
