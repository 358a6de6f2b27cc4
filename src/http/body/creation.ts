import type { FastifyRequest } from 'fastify';
import type { GivenMedia } from '../../domain/media/media.js';
import type { AvatarRequest, CheckRequest } from '../../gateway/intake/request.js';
import { PROBLEMS, ProblemError } from '../../problems.js';
import { callerOf } from '../access/caller.js';
import { memoryOf } from '../plugins/body.js';
import type { CreateAvatar } from '../schemas/avatar.js';

/** A W3C Trace Context parent (https://www.w3.org/TR/trace-context/#traceparent-header); a malformed one is as good as none. */
const TRACEPARENT = /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/;

/** 1 to 255 visible ASCII characters. */
const KEY = /^[\x21-\x7e]{1,255}$/;

/**
 * The avatar that a request asks for.
 * @param body as its schema allows it
 * @throws {ProblemError} `idempotency-key-invalid`; `idempotency-key-required`, where there must be one
 */
export function creationOf(request: FastifyRequest, body: CreateAvatar, requireKey: boolean): AvatarRequest {
  const { traceparent, 'idempotency-key': key } = request.headers;
  return {
    idempotencyKey: idempotencyKeyOf(key, requireKey),
    prompt: body.prompt ?? null,
    externalId: body.external_id ?? null,
    metadata: body.metadata ?? {},
    traceparent: typeof traceparent === 'string' && TRACEPARENT.test(traceparent) ? traceparent : null,
    startWithinMs: body.start_within_seconds === undefined ? null : body.start_within_seconds * 1000,
    ...checkOf(request, body),
  };
}

/** The same, without what does not matter to a check. */
export function checkOf(
  request: FastifyRequest,
  { audio_id, mode = 'std', callback_url: callbackUrl }: CreateAvatar,
): CheckRequest {
  const given = (member: string): GivenMedia => {
    const media = request.media.get(member);
    if (media === undefined) throw new Error(`${member} was not read`);
    return media;
  };
  return {
    caller: callerOf(request),
    image: given('image'),
    // The schema has seen to it that exactly one of the two is there.
    speech: audio_id === undefined ? { soundFile: given('sound_file') } : { audioId: audio_id },
    mode,
    memory: memoryOf(request),
    callbackUrl: callbackUrl ?? null,
  };
}

/**
 * The key in an `Idempotency-Key` header, `null` without one. Bare as most clients send it, or the quoted string of
 * the IETF draft (draft-ietf-httpapi-idempotency-key-header); both forms of one key are one key.
 */
function idempotencyKeyOf(header: string | string[] | undefined, isRequired: boolean): string | null {
  if (header === undefined) {
    if (!isRequired) return null;
    throw new ProblemError('idempotency-key-required', PROBLEMS['idempotency-key-required'].help);
  }
  const text = [header].flat().join(', ');
  const quoted = /^"(.*)"$/s.exec(text)?.[1];
  const key = quoted === undefined ? text : quoted.replace(/\\(["\\])/g, '$1');
  if (KEY.test(key)) return key;
  throw new ProblemError(
    'idempotency-key-invalid',
    'An Idempotency-Key has 1 to 255 visible ASCII characters, bare or in double quotes.',
  );
}
