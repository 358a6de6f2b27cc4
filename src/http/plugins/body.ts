import type { IncomingMessage } from 'node:http';
import multipart from '@fastify/multipart';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { MAX_AUDIO_BYTES } from '../../domain/media/audio.js';
import { MAX_IMAGE_BYTES } from '../../domain/media/image.js';
import type { GivenMedia } from '../../domain/media/media.js';
import type { Hold } from '../../gateway/memory.js';
import { PROBLEMS, ProblemError } from '../../problems.js';
import { onEnd } from '../end.js';
import { readFormBody } from '../form-body.js';
import { type JsonBody, JsonBodyReader } from '../json-body.js';
import { CreateAvatar } from '../schemas/avatar.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** The media of the body, by member, where they are not in the body itself. */
    media: ReadonlyMap<string, GivenMedia>;
    /** The memory that the body takes. */
    memory: Hold | null;
    /** As far as the request itself keeps it; whoever else keeps it goes on. */
    letGoOfMemory: () => void;
  }
  interface FastifyContextConfig {
    /** Whether the body may be a form as well. */
    readonly takesForms?: boolean;
    /** Whether there is to be no body. */
    readonly takesNoBody?: boolean;
  }
}

/** The members that may hold megabytes, and how many bytes each may have. */
const MEDIA_MEMBERS: ReadonlyMap<string, number> = new Map([
  ['image', MAX_IMAGE_BYTES],
  ['sound_file', MAX_AUDIO_BYTES],
]);
const MEMBERS: ReadonlySet<string> = new Set(Object.keys(CreateAvatar.properties));

/** For padding. */
const SPARE_BYTES = 4;
const NOTHING: ReadonlyMap<string, GivenMedia> = new Map();
const JSON_TYPE = /^application\/json[ \t]*(;|$)/i;
const FORM_TYPE = /^multipart\/form-data[ \t]*(;|$)/i;

/**
 * Reads bodies, as they arrive. What the headers tell to be too large, of another kind, or more than there is memory
 * for, is refused before it is read.
 * @param hold speaks for memory, or throws a problem
 */
export async function readBodies(app: FastifyInstance, hold: (bytes: number) => Hold): Promise<void> {
  app.removeAllContentTypeParsers();
  app.decorateRequest('media');
  app.decorateRequest('memory', null);
  app.decorateRequest('letGoOfMemory', () => undefined);
  await app.register(multipart);
  app.addHook('onRequest', async (request, reply) => {
    request.media = NOTHING;
    const { method, headers, routeOptions } = request;
    if (routeOptions.config.takesNoBody === true) {
      if (Number(headers['content-length'] ?? 0) > 0 || headers['transfer-encoding'] !== undefined) {
        throw unsupported('No body is taken here.');
      }
      delete headers['content-type']; // Some clients send one with nothing.
      return;
    }
    if (method !== 'POST') return;
    requireType(headers['content-type'], routeOptions.config.takesForms === true);
    const encoding = headers['content-encoding'];
    if (encoding !== undefined && encoding.toLowerCase() !== 'identity') {
      throw unsupported('A Content-Encoding is not supported; send the body as it is.');
    }
    const bytes = Number(headers['content-length'] ?? routeOptions.bodyLimit);
    if (bytes > routeOptions.bodyLimit) throw tooLarge();
    request.memory = hold(bytes);
    request.letGoOfMemory = request.memory.keep();
    onEnd(request, reply, request.letGoOfMemory);
  });
  app.addContentTypeParser('application/json', async (request: FastifyRequest) =>
    take(request, await readJsonBody(request)),
  );
  app.addHook('preValidation', async (request) => {
    if (!request.isMultipart()) return;
    try {
      request.body = take(
        request,
        await readFormBody(request, MEMBERS, expected(request.headers['content-length'], 1)),
      );
    } catch (error) {
      request.raw.unpipe();
      throw error;
    }
  });
}

/** For who answers much later: body and memory are free for others from now on. */
export function letGoOfBody(request: FastifyRequest): void {
  request.body = undefined;
  request.media = NOTHING;
  request.letGoOfMemory();
}

/**
 * What memory to make ready for each medium: no more than the body has, and than is allowed.
 * @param inflation how many bytes of the body stand for one of a medium
 */
function expected(contentLength = '0', inflation: number): ReadonlyMap<string, number> {
  const most = (bytes: number) => Math.min(Number(contentLength), Math.ceil(bytes * inflation) + SPARE_BYTES);
  return new Map([...MEDIA_MEMBERS].map(([name, bytes]) => [name, most(bytes)]));
}

function take(request: FastifyRequest, { value, media }: JsonBody): unknown {
  request.media = media;
  return value;
}

/** Up to the first fault. */
async function readJsonBody({ raw, headers, routeOptions }: FastifyRequest): Promise<JsonBody> {
  const reader = new JsonBodyReader(expected(headers['content-length'], 4 / 3));
  let bytes = 0;
  // A chunk at a time, which leaves room for others between two of them.
  for await (const chunk of chunks(raw)) {
    bytes += chunk.length;
    if (bytes > routeOptions.bodyLimit) throw tooLarge();
    reader.write(chunk);
  }
  return reader.end();
}

async function* chunks(raw: IncomingMessage): AsyncGenerator<Buffer> {
  try {
    yield* raw.iterator({ destroyOnReturn: false });
  } catch (cause) {
    throw new ProblemError('bad-request', 'The connection ended before the body did.', { cause });
  }
}

function requireType(type: string | undefined, takesForms: boolean): void {
  if (type === undefined) throw unsupported('Content-Type is missing; send application/json.');
  if (takesForms && FORM_TYPE.test(type)) return;
  if (!JSON_TYPE.test(type)) throw unsupported(PROBLEMS['unsupported-media-type'].help);
  for (const [, charset = ''] of type.matchAll(/;\s*charset\s*=\s*"?([^";\s]*)/gi)) {
    if (!/^utf-?8$/i.test(charset)) {
      throw unsupported(`The charset ${charset.slice(0, 40)} is not supported; send UTF-8.`);
    }
  }
}

function tooLarge(): ProblemError {
  return new ProblemError('payload-too-large', PROBLEMS['payload-too-large'].help);
}

function unsupported(detail: string): ProblemError {
  return new ProblemError('unsupported-media-type', detail);
}
