import type { FastifyInstance, FastifyRequest } from 'fastify';
import { ByteCollector } from '../../domain/media/collector.js';
import type { GivenMedia } from '../../domain/media/media.js';
import { type Memory, type MemoryLease, overloaded } from '../../gateway/intake/memory.js';
import { PROBLEMS, ProblemError } from '../../problems.js';
import { holderOf } from '../access/caller.js';
import { readForm } from '../body/form-body.js';
import { type JsonBody, readJson } from '../body/json-body.js';
import { onEnd } from '../end.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** The media of the body, by member. */
    media: ReadonlyMap<string, GivenMedia>;
    /** The memory that the body takes; `null` where none is read. */
    memory: MemoryLease | null;
    /** Whoever else retains it goes on. */
    releaseMemory: () => void;
  }
  interface FastifyContextConfig {
    /** Whether the body may be a form as well. */
    readonly takesForms?: boolean;
    /** Whether there is to be no body. */
    readonly takesNoBody?: boolean;
  }
}

/** Memory is taken for what has arrived, and for so much more. */
const STEP_BYTES = 64 * 1024;
const NOTHING: ReadonlyMap<string, GivenMedia> = new Map();
const JSON_TYPE = /^application\/json[ \t]*(;|$)/i;
const FORM_TYPE = /^multipart\/form-data[ \t]*(;|$)/i;

/**
 * Reads bodies, as they arrive. What the headers tell to be too large, of another kind, or more than there is memory
 * for, is refused before it is read.
 */
export async function readBodies(app: FastifyInstance, memory: Pick<Memory, 'tryAcquire'>): Promise<void> {
  app.removeAllContentTypeParsers();
  app.decorateRequest('media');
  app.decorateRequest('memory', null);
  app.decorateRequest('releaseMemory', () => undefined);
  app.addHook('onRequest', (request, reply, done) => {
    request.media = NOTHING;
    const { method, headers, routeOptions } = request;
    if (routeOptions.config.takesNoBody === true) {
      if (Number(headers['content-length'] ?? 0) > 0 || headers['transfer-encoding'] !== undefined) {
        throw unsupported('No body is taken here.');
      }
      delete headers['content-type']; // Some clients send one with nothing.
      return done();
    }
    if (method !== 'POST') return done();
    requireType(headers['content-type'], routeOptions.config.takesForms === true);
    const encoding = headers['content-encoding'];
    if (encoding !== undefined && encoding.toLowerCase() !== 'identity') {
      throw unsupported('A Content-Encoding is not supported; send the body as it is.');
    }
    const { 'content-length': length } = headers;
    if (Number(length ?? 0) > routeOptions.bodyLimit) throw tooLarge();
    const expectedBytes = Number(length ?? STEP_BYTES);
    const lease = memory.tryAcquire(holderOf(request), Math.min(STEP_BYTES, expectedBytes), expectedBytes);
    if (lease === null) throw overloaded();
    request.memory = lease;
    request.releaseMemory = lease.retain();
    onEnd(request, reply, request.releaseMemory);
    done();
  });
  const parse = (type: string, read: (request: FastifyRequest) => Promise<JsonBody>) =>
    app.addContentTypeParser(type, async (request: FastifyRequest) => {
      const { value, media } = await read(request);
      request.media = media;
      return value;
    });
  parse('application/json', readJsonOf);
  parse('multipart/form-data', readFormOf);
}

/** The memory of a body that was read. */
export function memoryOf({ memory, routeOptions }: FastifyRequest): MemoryLease {
  if (memory === null) throw new Error(`${routeOptions.url} takes no body`);
  return memory;
}

/** For who answers much later: body and memory are free for others from now on. */
export function releaseBody(request: FastifyRequest): void {
  request.body = undefined;
  request.media = NOTHING;
  request.releaseMemory();
}

async function readJsonOf(request: FastifyRequest): Promise<JsonBody> {
  const body = new ByteCollector(Number(request.headers['content-length'] ?? 0));
  await receive(request, (chunk) => body.append(chunk));
  return readJson(body.take());
}

function readFormOf(request: FastifyRequest): Promise<JsonBody> {
  const { 'content-type': type = '', 'content-length': length = 0 } = request.headers;
  return readForm((take) => receive(request, take), type, Number(length));
}

/** Hands on the body as it arrives, as far as it may, and until `take` throws; its memory grows with it. */
function receive(
  { raw, headers, routeOptions, memory }: FastifyRequest,
  take: (chunk: Buffer) => void,
): Promise<void> {
  const length = Number(headers['content-length'] ?? Number.POSITIVE_INFINITY);
  let bytes = 0;
  return new Promise((resolve, reject) => {
    const fail = (cause: unknown): void => {
      raw.off('data', arrived).pause();
      reject(cause);
    };
    const arrived = (chunk: Buffer): void => {
      try {
        bytes += chunk.length;
        if (bytes > routeOptions.bodyLimit) throw tooLarge();
        if (!memory?.resize(Math.min(length, bytes + STEP_BYTES))) throw overloaded();
        take(chunk);
      } catch (error) {
        fail(error);
      }
    };
    const broken = (cause: unknown): void =>
      fail(new ProblemError('bad-request', 'The connection ended before the body did.', { cause }));
    if (raw.destroyed) broken(raw.errored);
    else raw.on('data', arrived).once('end', resolve).once('error', broken);
  });
}

function requireType(type: string | undefined, takesForms: boolean): void {
  if (type === undefined) throw unsupported('Content-Type is missing; send application/json.');
  if (type === 'application/json' || (takesForms && FORM_TYPE.test(type))) return;
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
