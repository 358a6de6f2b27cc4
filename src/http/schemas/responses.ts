import { Type } from 'typebox';
import { PROBLEMS, ProblemError, type ProblemSlug } from '../../problems.js';
import { written } from '../plugins/problems.js';
import { AnyInteger, AnyString } from './types.js';

/** Of what is for whoever runs the gateway. */
export const ON_ITS_OWN_PORT = 'Where `MANAGEMENT_PORT` is set, it is served there and nowhere else.';

export const commonHeaders = {
  'X-Request-Id': AnyString('The id that was sent, or one made for the request.'),
  'Cache-Control': Type.Literal('no-store'),
  'RateLimit-Policy': AnyString(
    'Whose requests are counted and how many there may be: `"caller";q=600;w=60`, 600 in 60 s. `"address"` without a known caller. Not sent where nothing is counted.',
  ),
  RateLimit: AnyString('What is left of that: `"caller";r=599;t=42`, 599 requests within the next 42 s.'),
};

/** An answer with a body. */
export function answer<Content extends object>(
  description: string,
  content: Content,
  headers: Record<string, Type.TSchema> = commonHeaders,
) {
  return { description, headers, content };
}

/** An answer that is nothing but its status and headers. */
export function noContent(description: string, headers: Record<string, Type.TSchema> = commonHeaders) {
  return Type.Unsafe<unknown>({ type: 'null', description, headers });
}

const preferenceHeaders = {
  ...commonHeaders,
  'Preference-Applied': AnyString('What was applied of `Prefer`, and the seconds as they were applied.'),
};

export const avatarHeaders = {
  ...preferenceHeaders,
  ETag: AnyString('For `If-None-Match`: weak, and without regard to `queue`.'),
  'Cache-Control': Type.Literal('private, no-cache'),
  Vary: Type.Literal('Prefer'),
};

export const finishedHeaders = {
  ...preferenceHeaders,
  Location: AnyString('Path of the avatar.'),
  'Idempotent-Replayed': Type.Literal('true', {
    description: 'Sent where the `Idempotency-Key` had made the avatar before; nothing was made now.',
  }),
};

export const acceptedHeaders = {
  ...finishedHeaders,
  'Retry-After': AnyInteger('Seconds after which a look at the avatar is worth while.'),
};

export const retryAfter = { 'Retry-After': AnyInteger('Seconds to wait.') };

const EXTRA_HEADERS: Partial<Record<number, Record<string, Type.TSchema>>> = {
  402: { 'Retry-After': AnyInteger('Seconds until the day or the month is over.') },
  401: {
    'WWW-Authenticate': AnyString('`Bearer`, with `error="invalid_token"` where there was a key (RFC 6750).'),
  },
  405: { Allow: AnyString('The methods that are allowed.') },
  416: { 'Content-Range': AnyString('`bytes */<size>`') },
  429: retryAfter,
  503: retryAfter,
};

/** The problems of the catalogue with these statuses, as responses of a route, with an example each. */
export function problems(...statuses: number[]): Record<number, object> {
  return Object.fromEntries(statuses.map((status) => [status, problemResponse(status)]));
}

function problemResponse(status: number) {
  const slugs = (Object.keys(PROBLEMS) as ProblemSlug[]).filter((slug) => PROBLEMS[slug].status === status);
  const { description, examples } = described(slugs, exampleOf);
  const content = { 'application/problem+json': { schema: { $ref: 'Problem#' }, examples } };
  return answer(description, content, { ...commonHeaders, ...EXTRA_HEADERS[status] });
}

/** What each of some problems means, and how it is written. */
export function described(slugs: readonly ProblemSlug[], write: (slug: ProblemSlug) => object) {
  return {
    description: slugs.map((slug) => `\`${slug}\`: ${PROBLEMS[slug].help}`).join('\n\n'),
    examples: Object.fromEntries(slugs.map((slug) => [slug, { value: write(slug) }])),
  };
}

function exampleOf(slug: ProblemSlug): object {
  const { status, help } = PROBLEMS[slug];
  const ofFields = status === 422 && slug !== 'refused-by-modellix' && slug !== 'content-refused';
  const options = ofFields ? { errors: [{ pointer: '/image', detail: 'is required' }] } : {};
  return written(new ProblemError(slug, help, options), '/avatars', '0198f3c2-7c1e-7a51-9d5b-3f0e6a1c2b4d')
    .body;
}
