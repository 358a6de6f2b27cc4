import type { FastifyInstance, FastifyRequest } from 'fastify';
import { PROBLEMS, ProblemError } from '../../problems.js';
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

/** Reads JSON bodies. What the headers tell to be too large or of another kind is refused before it is read. */
export function readBodies(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.decorateRequest('lifted');
  app.addHook('onRequest', async (request) => {
    request.lifted = NOTHING;
    const { method, headers, routeOptions } = request;
    if (method !== 'POST') return;
    requireJson(headers['content-type']);
    const encoding = headers['content-encoding'];
    if (encoding !== undefined && encoding.toLowerCase() !== 'identity') {
      throw unsupported('A Content-Encoding is not supported; send the body as it is.');
    }
    if (Number(headers['content-length'] ?? 0) > routeOptions.bodyLimit) {
      throw new ProblemError('payload-too-large', PROBLEMS['payload-too-large'].help);
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

function requireJson(type: string | undefined): void {
  if (type === undefined) throw unsupported('Content-Type is missing; send application/json.');
  if (!/^application\/json[ \t]*(;|$)/i.test(type))
    throw unsupported(PROBLEMS['unsupported-media-type'].help);
  for (const [, charset = ''] of type.matchAll(/;\s*charset\s*=\s*"?([^";\s]*)/gi)) {
    if (!/^utf-?8$/i.test(charset)) {
      throw unsupported(`The charset ${charset.slice(0, 40)} is not supported; send UTF-8.`);
    }
  }
}

function unsupported(detail: string): ProblemError {
  return new ProblemError('unsupported-media-type', detail);
}
